// Command bench measures osssync as its users run it: whole processes of the
// real binary against the embedded server in a process of its own, over
// loopback.
//
//	go run ./bench                               # every scenario, once
//	go run ./bench -runs 5 -o bench/results/scenarios.txt
//	go run ./bench -scenario up-large,down-large -size 4Gi
//
// # Columns
//
// Each row is one scenario; of several runs each column is the median by
// itself.
//
//   - wall, user, sys: seconds of the child process. A wall time includes what
//     the server costs on the same cores; user and sys do not.
//   - cpu per: user and sys divided by the data, in s/GB (10^9 bytes), or by
//     the number of objects, in us each.
//   - rss: the kernel's peak of the child's memory, MiB. It is sampled each 5 ms
//     and not taken from rusage: there a child inherits the peak of the process
//     that started it.
//   - server: CPU seconds of the server in the same time.
//   - other: CPU seconds of everything else on the machine in the same time,
//     this runner included. A row with much of it is noise: run it again.
//   - result: ok, or FAILED if anything failed or the content is wrong. Every
//     transferred byte is compared by SHA-256, which osssync does not use.
//   - requests: by operation, from the server's log; refused and broken ones in
//     brackets.
//
// The memory and CPU of processes are read from /proc; elsewhere than on Linux
// those columns are 0.
//
// The resume scenarios kill osssync when half of the data has passed, by a relay
// between client and server, and run it again. Times are those of both runs;
// "sent" is what the server received or sent in both, divided by the size.
// What a killed client left unread in socket buffers counts as sent.
//
// # Benchmarks of packages
//
// What a scenario is made of has Go benchmarks beside its code:
//
//	go test -run '^$' -bench . -count 6 -benchtime 0.3s ./internal/crc64
//
// and likewise ./oss, ./checkpoint, ./scheduler, ./internal/localfs and
// ./oss/emulator. Their raw output is in bench/results, a file per package, fit
// for benchstat.
//
// ./bench itself has those of listings, walks and merges of many keys; with
// OSSSYNC_BENCH_MANY_KEYS=1 they go on to 10,000,000, and the tests TestMergeOfManyKeys and
// TestMergeOfManyFiles measure the binary. Their times of one run are
// rough where the machine does other things too; cpu-ns/key is then what counts.
package main
