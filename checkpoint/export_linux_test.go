package checkpoint

// NetworkName names a file system by its number in statfs(2).
func NetworkName(magic uint32) string { return networkName(magic) }
