//go:build !windows

package main

import "os"

// enableEscapes reports true: terminals understand them.
func enableEscapes(*os.File) bool { return true }
