// Package scheduler decides when work may run and whether it runs again. A
// [Pool] bounds how many tasks run at once and how many bytes they hold
// together, and retries those that fail for a passing reason. It knows nothing
// of what a task does.
//
// The caller brings the goroutine: [Pool.Do] blocks until a worker and the
// task's memory are free, runs the task where it was called, and gives both
// back before it waits to retry. A pool therefore owns no goroutine, and an
// idle one costs nothing.
//
// # Order
//
// Waiting tasks start by priority, then by arrival, and a retry keeps the
// arrival of its first attempt. Worker and memory are granted together, to the
// head of the queue only: small tasks never slip past a large one that waits
// for memory, so it cannot starve. Only a higher priority overtakes.
//
// # Retries
//
// Options.Judge turns an error into a [Verdict]. Between two attempts the pool
// waits a random time: uniform in [0, 2×d], where d doubles from MinDelay to
// MaxDelay (full jitter with mean d, from cenkalti/backoff/v4 with
// RandomizationFactor 1). Full jitter keeps tasks that failed together from
// returning together. A server's own wish (Verdict.After) is kept to the
// letter.
//
// There is no retry budget over the pool: each task is bounded by
// Options.Attempts, and all tasks together by the adaptive limit.
//
// # Adaptive limit
//
// A pool starts with all workers allowed. [SlowDown] halves the number allowed,
// down to one, but at most once a second, and only for an attempt that began
// after the last cut: the answers to requests already under way say nothing
// about the new limit. After as many successes as the limit allows workers,
// the limit grows by one, back up to Options.Workers.
package scheduler
