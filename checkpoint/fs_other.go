//go:build !linux

package checkpoint

// networkFilesystem does not know the file systems of this platform.
func networkFilesystem(string) (string, error) { return "", nil }
