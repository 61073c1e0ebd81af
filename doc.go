// Package osssync is the overview of a bulk transfer engine for Alibaba Cloud
// OSS: exact after any crash, honest in its reports. It has no code of its own.
//
//   - [github.com/osssync/osssync/transfer] is the engine: Upload, Download,
//     Sync. Start here to move files.
//   - [github.com/osssync/osssync/oss] is the client: one call, one request.
//   - [github.com/osssync/osssync/oss/emulator] is a server that speaks OSS,
//     for tests and for a first try without an account.
//   - [github.com/osssync/osssync/scheduler] runs and retries tasks;
//     [github.com/osssync/osssync/checkpoint] keeps what is durable.
//   - cmd/osssync is the command.
//
// The way of one part, in five hops: the command (cmd/osssync/cmd_cp.go) calls
// transfer.Engine.Upload; that splits the file and hands each part to
// scheduler.Pool.Do; the pool grants a worker and runs sendPart
// (transfer/multipart.go); sendPart calls oss.Bucket.UploadPart, which reads,
// hashes and sends the bytes, and compares the server's CRC-64 with its own.
package osssync
