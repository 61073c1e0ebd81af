// Command osssync moves files to and from Alibaba Cloud OSS, goes on where it
// stopped, and can serve the same protocol itself.
//
// It is thin: it reads the command line, wires packages transfer, oss and
// oss/emulator together, and prints. What it does, a program can do with those
// packages.
//
// One command passes through main.go (run), its own file (cmd_cp.go), where it
// becomes a call of a transfer.Engine, job.go, which watches the call, and
// exit.go, which turns the error into words and an exit code.
package main
