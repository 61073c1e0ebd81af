package emulator_test

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// TestTrafficLimit measures in the bubble's clock how long bodies take.
func TestTrafficLimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newClient(t)
		const limit = "x-oss-traffic-limit"
		took := func(f func()) time.Duration {
			start := time.Now()
			f()
			return time.Since(start).Round(time.Second)
		}
		if d := took(func() {
			a := c.put("k", strings.Repeat("x", 1<<20), limit, "819200") // 100 KiB a second
			if got := a.header.Get("x-oss-qos-delay-time"); got != "10240" {
				t.Errorf("delayed by %s ms", got)
			}
		}); d != 10*time.Second {
			t.Errorf("PUT took %v", d)
		}
		if d := took(func() { c.want(c.get("k", limit, "1638400"), 200, "") }); d != 5*time.Second {
			t.Errorf("GET took %v", d)
		}
		if d := took(func() { c.want(c.get("k"), 200, "") }); d != 0 {
			t.Errorf("unlimited GET took %v", d)
		}
		for _, bad := range []string{"245759", "838860801", "x"} {
			c.want(c.get("k", limit, bad), 400, "InvalidArgument")
		}
	})
}
