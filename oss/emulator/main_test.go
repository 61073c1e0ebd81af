package emulator_test

import (
	"testing"

	"github.com/osssync/osssync/oss/emulator"
)

func storeOptions(t testing.TB, disk bool) *emulator.Options {
	if disk {
		return &emulator.Options{Dir: t.TempDir()}
	}
	return &emulator.Options{}
}
