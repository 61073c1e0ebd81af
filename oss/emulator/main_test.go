package emulator_test

import (
	"os"
	"testing"

	"go.uber.org/goleak"

	"github.com/osssync/osssync/oss/emulator"
)

// TestMain is also the main of the servers that crash tests kill.
func TestMain(m *testing.M) {
	if dir := os.Getenv(crashDir); dir != "" {
		os.Exit(serveUntilKilled(dir))
	}
	goleak.VerifyTestMain(m)
}

func storeOptions(t testing.TB, disk bool) *emulator.Options {
	if disk {
		return &emulator.Options{Dir: t.TempDir()}
	}
	return &emulator.Options{}
}
