package checkpoint

// What the tests of the codec need of the inside.

// Roundtrip encodes a value and decodes the result.
func Roundtrip(v any) (any, error) {
	switch v := v.(type) {
	case Job:
		return decodeJob(encodeJob(v))
	case Object:
		return decodeObject(v.Key, encodeObject(v))
	case Settled:
		return decodeSettled(v.Key, encodeSettled(v))
	case Failure:
		return decodeFailure(v.Key, encodeFailure(v))
	case []Part:
		block := blockOf(v[0].Number)
		return decodeBlock(block, encodeBlock(block, v))
	}
	return nil, nil
}

// DecodeAny decodes a payload as every kind of record and returns how many
// bytes the accepted ones take when they are encoded again.
func DecodeAny(payload []byte, block uint32) (accepted []any) {
	keep := func(v any, err error) {
		if err == nil {
			accepted = append(accepted, v)
		}
	}
	job, err := decodeJob(payload)
	keep(job, err)
	object, err := decodeObject("k", payload)
	keep(object, err)
	settled, err := decodeSettled("k", payload)
	keep(settled, err)
	failure, err := decodeFailure("k", payload)
	keep(failure, err)
	parts, err := decodeBlock(block, payload)
	keep(parts, err)
	return accepted
}

// Frame wraps a payload as an object's record.
func Frame(key string, payload []byte) ([]byte, error) { return frame(objectBucket, key, payload) }

// Unframe undoes Frame.
func Unframe(key string, rec []byte) ([]byte, error) { return unframe(objectBucket, key, rec) }

// UnframeSettled reads a record as if it had been found among the settled.
func UnframeSettled(key string, rec []byte) ([]byte, error) { return unframe(settledBucket, key, rec) }

// Survey reads a file as Open does before anything else.
func Survey(path string) error {
	_, err := surveyFile(path, func(string, []byte, []byte) {})
	return err
}

// PartsPerBlock is how many parts share a record.
const PartsPerBlock = partsPerBlock
