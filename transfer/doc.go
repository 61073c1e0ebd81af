// Package transfer is the engine: it moves files and objects, whole trees of
// them, so that after any crash the same call goes on where it stopped.
//
// An [Engine] runs jobs: [Engine.Upload], [Engine.UploadStream],
// [Engine.Download], [Engine.DownloadTo], [Engine.DownloadAt], [Engine.Copy],
// [Engine.Append], [Engine.Sync], [Engine.Plan], [Engine.Apply], [Engine.Delete]
// and [Engine.Check]. Each call is one job, blocks until it has ended, and
// returns a [Report]. Cancel its context to stop it; the same call later goes
// on, and so does [Engine.Resume] with the job's id.
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
//   - A source that changes, or loses its name, while it is read is noticed
//     before anything of it becomes visible, and the object begun anew: see
//     Options.Restarts. So is a destination that somebody
//     else writes to after it was listed: see SyncOptions.IfUnchanged. What is
//     written to a file by way of a mapping into memory is noticed on Linux
//     only, above the threshold and on a disk: elsewhere such a file must rest.
//
// # One object
//
// What is done to one object is a machine whose states are the checkpoint's
// (checkpoint.State). Each arrow is taken only after the step before it is
// durable; the right column is what a run does that finds the state.
//
//	upload above the threshold, copy above the threshold
//	  (nothing)   record intent                         start
//	  intent      InitiateMultipartUpload               look for an upload of this key, begun since
//	              record its id                         and without parts: abort it; start
//	  active      send parts, record each               ListParts; prove each part against the
//	              all parts there, source unchanged     source; send what is missing or differs
//	              record the whole CRC-64
//	  completing  CompleteMultipartUpload               as active; if the upload is gone: HEAD. Our
//	              answer's CRC-64 is ours               size and CRC-64, no older than the upload:
//	              or: there must be none, and somebody  settle. Else start over
//	              made one with our bytes: abort
//	              record settled
//	  settled     -                                     nothing, if both sides are as recorded
//
//	download above the threshold
//	  (nothing)   record object, ETag, temporary name   start
//	  active      make the temporary file               make it
//	              write ranges, sync, record            read back what is recorded; fetch the rest
//	              all there: whole CRC-64 is the
//	              object's; set times, sync
//	              record the whole CRC-64
//	  completing  rename, sync folder                   temporary file there: prove all, rename.
//	              record settled                        Gone: the file has that CRC-64: settle.
//	                                                    Else start over
//	  settled     -                                     nothing, if both sides are as recorded
//
//	copy that a backup keeps, or that Undo puts back: as a copy
//	  (nothing)   as above, with its place; its record  kept: go on where it was begun. Put back:
//	              goes when it is complete, and then    compare with what was kept, by CRC-64,
//	              the change is recorded or forgotten   and go on
//
//	whole object, in either direction, and copy in one request
//	  (nothing)   one request; to a file: temporary     start; a temporary file that is left has a
//	              file, sync, rename, sync folder       name that follows from job, state folder
//	              record settled                        and key, and is replaced
//	  settled     -                                     nothing, if both sides are as recorded
//
//	append
//	  (nothing)   HEAD; record length and CRC-64,       start
//	              and the file
//	  active      AppendObject, piece after piece,      HEAD: what the object has grown by is what
//	              each at the object's length           the file begins with, by CRC-64: add the
//	                                                    rest. Else ErrChanged
//
//	move (RemoveSource): after the copy is settled as above
//	  settled     the record made durable (one object;  source there, and as recorded: prove the
//	              a tree lists what is left)            copy by CRC-64, remove. Source gone and the
//	              source still what was copied?         copy as recorded: done
//	              remove it
//
//	delete
//	  (nothing)   DeleteObject, or a batch              start: to delete twice is to delete once
//
// Temporary files of whole objects are in no record: the first half of their
// names follows from job and state folder. GC, Remove, and the end of a run of a
// tree that goes on, look for what is left of them below the destination.
//
// Without a StateDir nothing is known of an earlier run: the temporary file and
// the upload that a killed one left stay, until somebody removes them (GC with
// Uploads, for the latter).
//
// From every state: if the source is another one now, or another part size is
// asked for, the upload is aborted or the temporary file removed, and the
// object starts anew.
//
// What is not known after a lost answer is asked for: PutObject and CopyObject
// by HEAD (size, CRC-64, the headers that were asked for, and a time, by the
// server's clock, that is not before the first try), AppendObject by HEAD (length,
// CRC-64), InitiateMultipartUpload by the list of uploads,
// CompleteMultipartUpload by asking again, which answers NoSuchUpload if it had
// succeeded, and then by HEAD. What is another object is made again, and so is a
// part: the last one counts.
//
// # Encryption
//
// A [Location] with Keys (package oss/crypto) encrypts on its way up and
// decrypts on its way down, with a content key of chance for each object, which
// only the master key unwraps. All of the above holds: what is resumed is proven
// through the same cipher, and the checkpoint keeps the wrapped key only.
//
// # The way of the data
//
// Left of the pool everything is a stream in key order: a walk and a listing
// are merged into actions (plan.go), an action becomes a task on its own
// goroutine (tree.go), a task runs its pieces through [scheduler.Pool], which
// alone decides how many run, and whether one is tried again. Bytes go file →
// 256 KiB buffer → socket and back, and are hashed on the way by package oss.
//
// A dry run and [Engine.Plan] end where the task would begin, and tell or write
// the action (planning.go); [Engine.Apply] begins there, with the actions of a
// plan (apply.go).
package transfer
