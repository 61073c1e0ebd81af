package main

// What other tools call things, and what to type here.

// otherCommands are commands of ossutil, s5cmd, rclone, aws and azcopy that
// osssync has under another name, or not at all.
var otherCommands = map[string]string{
	"mkdir":           "OSS has no folders: copy something to oss://BUCKET/FOLDER/",
	"copy":            "osssync cp -r SRC DST",
	"put":             "osssync cp FILE oss://BUCKET/KEY",
	"upload":          "osssync cp FILE oss://BUCKET/KEY",
	"get":             "osssync cp oss://BUCKET/KEY FILE",
	"download":        "osssync cp oss://BUCKET/KEY FILE",
	"list":            "osssync ls oss://BUCKET",
	"lsf":             "osssync ls -s oss://BUCKET/",
	"lsd":             "osssync ls -d oss://BUCKET/",
	"head":            "osssync stat oss://BUCKET/KEY",
	"size":            "osssync du oss://BUCKET/PREFIX",
	"remove":          "osssync rm oss://BUCKET/KEY",
	"delete":          "osssync rm -r oss://BUCKET/PREFIX",
	"purge":           "osssync rm -r oss://BUCKET/PREFIX",
	"move":            "osssync mv SRC DST",
	"rmdir":           "osssync rb oss://BUCKET",
	"cleanup":         "osssync gc oss://BUCKET",
	"benchmark":       "osssync bench",
	"listpart":        "osssync ls -m oss://BUCKET",
	"create-symlink":  "not among the commands of osssync; the library has oss.Bucket.PutSymlink",
	"object-tagging":  "osssync cp or set-meta with --tagging; the library has oss.Bucket.PutObjectTagging",
	"revert-versions": "not among the commands of osssync: osssync ls --all-versions, then cp --version-id ID",
	"update":          "go install github.com/osssync/osssync/cmd/osssync@latest",
	"configure":       "osssync config",
	"api":             "osssync has no calls of the API by name: see osssync help, or the library",
}

// otherFlags are flags of those tools.
var otherFlags = map[string]string{
	"rm -b":           "a bucket is removed with: osssync rb",
	"output-format":   "give --json",
	"block-size":      "sizes are for people; bytes are in --json",
	"maxupspeed":      "give --bandwidth-limit RATE:off, with a unit: ossutil's 1024 is 1M here",
	"maxdownspeed":    "give --bandwidth-limit off:RATE, with a unit: ossutil's 1024 is 1M here",
	"bucket":          "a bucket is removed with: osssync rb",
	"output-dir":      "give --report FILE",
	"snapshot-path":   "leave it out: sync remembers by itself what it has done",
	"numworkers":      "give --job",
	"transfers":       "give --job",
	"concurrency":     "give --job",
	"checkers":        "give --job: comparing and transferring share its requests",
	"encoding-type":   "names are taken as they stand; a shell's $'\\n' writes what cannot be typed",
	"cap-mbps":        "give --bandwidth-limit, in bytes a second",
	"profile-name":    "give --profile",
	"endpoint-url":    "give --endpoint",
	"no-sign-request": "give --mode Anonymous",
	"recursive-list":  "leave it out: ls lists all below a prefix",
	"progress":        "leave it out: a terminal has progress; --no-progress switches it off",
	"verbose":         "give --loglevel info or debug",
	"query-output":    "give --json",
	"disable-crc64":   "leave it out: what arrives is always verified",
}
