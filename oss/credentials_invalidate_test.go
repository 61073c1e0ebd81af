package oss_test

import (
	"fmt"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"

	"github.com/osssync/osssync/oss"
)

// A file's profile and a chain pass on that credentials were refused.
func TestInvalidateReachesTheSource(t *testing.T) {
	var n atomic.Int32
	var fail atomic.Bool
	p := oss.ChainedCredentials(oss.RefreshingCredentials(issue(&n, &fail)))
	for i, want := range []string{"id1", "id2"} {
		c, err := p.Credentials(t.Context())
		if err != nil || c.AccessKeyID != want {
			t.Errorf("%d: %s, %v", i, c.AccessKeyID, err)
		}
		p.(interface{ Invalidate(oss.Credentials) }).Invalidate(c)
	}
	program := fmt.Sprintf("[default]\nmode=Process\ncredential_process=%s -test.run=^TestProcessCredentials$\n", os.Args[0])
	name := filepath.Join(t.TempDir(), "config")
	if err := os.WriteFile(name, []byte(program), 0o600); err != nil {
		t.Fatal(err)
	}
	file := oss.ConfigFileCredentials(name, "")
	for _, id := range []string{"one", "two"} {
		t.Setenv("OSS_TEST_PROCESS", `{"AccessKeyId":"`+id+`","AccessKeySecret":"s"}`)
		c, err := file.Credentials(t.Context())
		if err != nil || c.AccessKeyID != id {
			t.Errorf("%s, %v; want %s", c.AccessKeyID, err, id)
		}
		file.(interface{ Invalidate(oss.Credentials) }).Invalidate(c)
	}
}
