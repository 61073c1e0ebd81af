package checkpoint_test

import (
	"testing"

	"github.com/osssync/osssync/checkpoint"
)

func TestNetworkName(t *testing.T) {
	for magic, want := range map[uint32]string{
		0x6969: "nfs", 0x517B: "smb", 0xFF534D42: "smb", 0xFE534D42: "smb", 0x01021997: "9p", 0x65735546: "fuse",
		0xEF53: "", 0x58465342: "", 0x01021994: "", 0x9123683E: "", 0x794C7630: "",
	} {
		if got := checkpoint.NetworkName(magic); got != want {
			t.Errorf("%#x: %q, want %q", magic, got, want)
		}
	}
}
