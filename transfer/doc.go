// Package transfer is the engine: it moves files and objects, whole trees of
// them, so that after any crash the same call goes on where it stopped.
//
// An [Engine] runs jobs: [Engine.Upload], [Engine.UploadStream],
// [Engine.Download], [Engine.DownloadTo], [Engine.Sync] and [Engine.Delete].
// Each call is one job, blocks until it has ended, and returns a [Report].
// Cancel its context to stop it; the same call later goes on.
//
// # What holds
//
//   - A file name never shows partial content: data goes to a temporary file
//     in the same folder, is synced, renamed, and the folder is synced. An
//     object appears only by a completed PUT or CompleteMultipartUpload.
//   - A piece counts as done only when it is durable: the server has answered
//     with our CRC-64, or the file's data is synced.
//   - A checkpoint is a hint. A part is used again only if the server lists it
//     with the CRC-64 that the local range has now; a range of a file only if
//     it reads back with its recorded CRC-64.
//   - Source and options must be the same as when the checkpoint was made
//     (file: size, times, inode, device; object: ETag, size, version; part
//     size). Otherwise that object starts anew.
//   - The whole object's CRC-64, combined from its pieces', equals the
//     server's before the object counts as done.
//   - An answer that was lost is asked for, never guessed.
//
// # One object
//
// An upload above the threshold goes through these states; each is durable in
// the checkpoint before the next step is taken:
//
//	intent ── InitiateMultipartUpload ─▶ active ── all parts there ─▶ completing ── Complete ─▶ settled
//
// A download above the threshold:
//
//	active ── temporary file, ranges (synced, then recorded) ─▶ completing ── rename, sync folder ─▶ settled
//
// Smaller objects take one request and have no states: they are settled or
// they are done again. Temporary names are a function of job and key, so
// whoever comes back finds what was left, without a record.
//
// # The way of the data
//
// Left of the pool everything is a stream in key order: a walk and a listing
// are merged into actions (plan.go), an action becomes a task on its own
// goroutine (tree.go), a task runs its pieces through [scheduler.Pool], which
// alone decides how many run, and whether one is tried again. Bytes go file →
// 256 KiB buffer → socket and back, and are hashed on the way by package oss.
package transfer
