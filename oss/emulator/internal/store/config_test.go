package store_test

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	bolt "go.etcd.io/bbolt"

	"github.com/osssync/osssync/oss/emulator/internal/store"
)

func putConfigs(t *testing.T, s *store.Store, at time.Time, ids ...[3]string) {
	t.Helper()
	err := s.Update(func(tx *store.Tx) error {
		for _, id := range ids {
			c := &store.Config{Bucket: id[0], Family: id[1], Name: id[2], Modified: at, Doc: []byte(id[2] + "!")}
			if err := tx.PutConfig(c); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func configNames(t *testing.T, s *store.Store, bucket, family, from string) (names []string) {
	t.Helper()
	err := s.View(func(tx *store.Tx) error {
		for c, err := range tx.Configs(bucket, family, from) {
			if err != nil {
				return err
			}
			names = append(names, c.Name)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return names
}

func TestConfigs(t *testing.T) {
	for _, dir := range []string{"", t.TempDir()} {
		s := open(t, dir)
		putConfigs(t, s, stamp, [3]string{"b1", "f", "y"}, [3]string{"b1", "f", "x"}, [3]string{"b1", "g", ""},
			[3]string{"b2", "f", "z"}, [3]string{"b1x", "f", "w"}, [3]string{"", "f", "account"})
		putConfigs(t, s, stamp.Add(time.Hour), [3]string{"b1", "f", "x"})
		if got := configNames(t, s, "b1", "f", ""); !slices.Equal(got, []string{"x", "y"}) {
			t.Errorf("names are %q", got)
		}
		if got := configNames(t, s, "b1", "f", "x\x00"); !slices.Equal(got, []string{"y"}) {
			t.Errorf("names after x are %q", got)
		}
		err := s.Update(func(tx *store.Tx) error {
			c, err := tx.Config("b1", "f", "x")
			if err != nil || !c.Created.Equal(stamp) || !c.Modified.Equal(stamp.Add(time.Hour)) || string(c.Doc) != "x!" {
				t.Errorf("x is %+v, %v", c, err)
			}
			if c, err := tx.Config("b1", "f", "missing"); c != nil || err != nil {
				t.Errorf("missing is %+v, %v", c, err)
			}
			if err := tx.PutBucket(&store.Bucket{Name: "b1"}); err != nil {
				return err
			}
			if err := tx.DeleteConfig("b2", "f", "z"); err != nil {
				return err
			}
			return tx.DeleteBucket("b1")
		})
		if err != nil {
			t.Fatal(err)
		}
		for bucket, want := range map[string][]string{"b1": nil, "b2": nil, "b1x": {"w"}, "": {"account"}} {
			if got := configNames(t, s, bucket, "f", ""); !slices.Equal(got, want) {
				t.Errorf("of %q there is %q, want %q", bucket, got, want)
			}
		}
		if got := configNames(t, s, "b1", "g", ""); got != nil {
			t.Errorf("of the deleted bucket there is %q", got)
		}
	}
}

// An index of before there was configuration gets its table.
func TestIndexWithoutConfigs(t *testing.T) {
	dir := t.TempDir()
	if err := os.MkdirAll(filepath.Join(dir, "blobs"), 0o700); err != nil {
		t.Fatal(err)
	}
	db, err := bolt.Open(filepath.Join(dir, "index.db"), 0o600, nil)
	if err != nil {
		t.Fatal(err)
	}
	err = db.Update(func(tx *bolt.Tx) error {
		for i := range 5 {
			if _, err := tx.CreateBucket([]byte{byte(i)}); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	s := open(t, dir)
	putConfigs(t, s, stamp, [3]string{"b", "f", "n"})
	if got := configNames(t, s, "b", "f", ""); !slices.Equal(got, []string{"n"}) {
		t.Errorf("names are %q", got)
	}
}
