package crc64

func folds() []Implementation {
	if !canFold {
		return nil
	}
	return []Implementation{{"pmull", update}}
}
