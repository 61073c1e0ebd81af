package crc64

// Implementation is one way to compute Update.
type Implementation struct {
	Name   string
	Update func(crc uint64, p []byte) uint64
}

// Implementations returns the ones this processor can run.
func Implementations() []Implementation {
	return append([]Implementation{{"generic", updateGeneric}}, folds()...)
}
