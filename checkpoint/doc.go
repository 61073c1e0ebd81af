// Package checkpoint keeps what must survive a crash of one job: its header,
// the objects in flight with their finished parts, what is settled, and what
// failed. A job has one bbolt file, named by its ID, and one owner at a time.
//
// A checkpoint is a hint, never the truth: whoever resumes proves each claim
// at the place it talks about (the server, the temporary file) before use.
// What the package promises is that no claim is made up. Every record carries
// a checksum over its bucket, key and value; a damaged record is dropped with
// a warning, a damaged file is set aside as a whole, and neither ends the
// process.
//
// Writes go through one goroutine that commits them in groups. Methods that
// take a context are durable on return; AddPart, Settle and Fail only queue.
// Reads see queued writes at once. All methods may be called concurrently.
//
// The package knows no network and no secrets: what it is given is stored as
// it is, in files only the owner can read.
package checkpoint
