package store

import (
	"iter"
	"time"
)

// Config is one document of a bucket's configuration, or of the account's.
type Config struct {
	Bucket string // empty for the account's
	Family string // what it configures
	Name   string // of families with many documents; else empty

	// Created is when a document of that name was first put, Modified when
	// this one was; both in milliseconds.
	Created, Modified time.Time

	Doc []byte
}

// configKey has the buckets' separators, and so no key of one bucket is the
// prefix of a key of another. Names may hold any byte: they come last.
func configKey(bucket, family, name string) []byte {
	return objectKey(bucket, family+"\x00"+name)
}

func encodeConfig(c *Config) []byte {
	e := newEncoder()
	e.time(c.Created)
	e.time(c.Modified)
	e.string(string(c.Doc))
	return e
}

func decodeConfig(bucket, family, name string, v []byte) (*Config, error) {
	d := newDecoder(v)
	c := &Config{
		Bucket: bucket, Family: family, Name: name,
		Created: d.time(), Modified: d.time(), Doc: []byte(d.string()),
	}
	return c, d.end("configuration", family)
}

// Config returns a document, or nil if there is none.
func (tx *Tx) Config(bucket, family, name string) (*Config, error) {
	v := tx.kv.get(tableConfigs, configKey(bucket, family, name))
	if v == nil {
		return nil, nil
	}
	return decodeConfig(bucket, family, name, v)
}

// PutConfig adds or replaces a document; of one it replaces it keeps Created.
func (tx *Tx) PutConfig(c *Config) error {
	old, err := tx.Config(c.Bucket, c.Family, c.Name)
	if err != nil {
		return err
	}
	c.Created = c.Modified
	if old != nil {
		c.Created = old.Created
	}
	return tx.kv.put(tableConfigs, configKey(c.Bucket, c.Family, c.Name), encodeConfig(c))
}

// DeleteConfig removes a document if it is there.
func (tx *Tx) DeleteConfig(bucket, family, name string) error {
	return tx.kv.del(tableConfigs, configKey(bucket, family, name))
}

// Configs yields the documents of a family with names >= from, in order.
func (tx *Tx) Configs(bucket, family, from string) iter.Seq2[*Config, error] {
	return func(yield func(*Config, error) bool) {
		prefix := string(configKey(bucket, family, ""))
		tx.kv.scan(tableConfigs, configKey(bucket, family, from), func(k, v []byte) bool {
			if len(k) < len(prefix) || string(k[:len(prefix)]) != prefix {
				return false
			}
			return yield(decodeConfig(bucket, family, string(k[len(prefix):]), v))
		})
	}
}

// DeleteConfigs removes all documents of a bucket.
func (tx *Tx) DeleteConfigs(bucket string) error {
	prefix := string(objectKey(bucket, ""))
	var keys [][]byte
	tx.kv.scan(tableConfigs, []byte(prefix), func(k, _ []byte) bool {
		if len(k) < len(prefix) || string(k[:len(prefix)]) != prefix {
			return false
		}
		keys = append(keys, append([]byte(nil), k...))
		return true
	})
	for _, k := range keys {
		if err := tx.kv.del(tableConfigs, k); err != nil {
			return err
		}
	}
	return nil
}
