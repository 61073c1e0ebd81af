package scheduler_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/osssync/osssync/scheduler"
)

func Example() {
	errReset := errors.New("connection reset")
	pool := scheduler.New(&scheduler.Options{
		Workers:  4,
		MinDelay: time.Millisecond,
		Judge: func(err error) scheduler.Verdict {
			if errors.Is(err, errReset) {
				return scheduler.Verdict{Action: scheduler.Again}
			}
			return scheduler.Verdict{}
		},
		OnRetry: func(r scheduler.Retry) { fmt.Printf("%s: attempt %d: %v\n", r.Name, r.Attempt, r.Err) },
	})
	defer pool.Close()

	err := pool.Do(context.Background(), scheduler.Task{
		Name:  "part 1",
		Bytes: 256 << 10,
		Run: func(_ context.Context, attempt int) error {
			if attempt == 1 {
				return errReset
			}
			return nil
		},
	})
	fmt.Println(err)
	// Output:
	// part 1: attempt 1: connection reset
	// <nil>
}
