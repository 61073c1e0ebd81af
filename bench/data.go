package main

import (
	"bufio"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
)

// sum is a SHA-256.
type sum [sha256.Size]byte

// data is what scenarios transfer: made when first asked for, from a fixed
// seed, the same for all of them. Not for concurrent use.
type data struct {
	dir    string
	config *config

	largeSum sum
	treeSums map[string]sum // by key below the tree's root
}

// large is the path and content of the one large file.
func (d *data) large() (string, sum, error) {
	path := filepath.Join(d.dir, "large")
	if d.largeSum != (sum{}) {
		return path, d.largeSum, nil
	}
	s, err := makeFile(path, d.config.size, 1)
	if err != nil {
		return "", sum{}, fmt.Errorf("make the large file: %w", err)
	}
	d.largeSum = s
	return path, s, nil
}

// filesPerFolder keeps folders as small as people's are: 10,000 files make 100.
const filesPerFolder = 100

// tree is the root and content of the tree of small files.
func (d *data) tree() (string, map[string]sum, error) {
	root := filepath.Join(d.dir, "tree")
	if d.treeSums != nil {
		return root, d.treeSums, nil
	}
	sums := make(map[string]sum, d.config.files)
	for i := range d.config.files {
		key := fmt.Sprintf("folder-%03d/file-%05d.bin", i/filesPerFolder, i)
		s, err := makeFile(filepath.Join(root, filepath.FromSlash(key)), d.config.fileSize, uint64(2+i))
		if err != nil {
			return "", nil, fmt.Errorf("make the tree: %w", err)
		}
		sums[key] = s
	}
	d.treeSums = sums
	return root, sums, nil
}

// makeFile writes size random bytes and waits until they are on the disk, so
// that writing them back does not slow a measurement down.
func makeFile(path string, size int64, seed uint64) (s sum, err error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return sum{}, err
	}
	f, err := os.Create(path)
	if err != nil {
		return sum{}, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	var key [32]byte
	binary.LittleEndian.PutUint64(key[:], seed)
	h := sha256.New()
	if _, err := io.CopyN(io.MultiWriter(f, h), rand.NewChaCha8(key), size); err != nil {
		return sum{}, err
	}
	return finish(h), f.Sync()
}

func finish(h hash.Hash) (s sum) {
	h.Sum(s[:0])
	return s
}

func sumOf(r io.Reader) (sum, error) {
	h := sha256.New()
	_, err := io.Copy(h, r)
	return finish(h), err
}

// errContent says that bytes arrived that were not sent, or none did.
var errContent = errors.New("wrong content")

// checkFile compares one file with what it must hold.
func checkFile(path string, want sum) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	got, err := sumOf(f)
	if err == nil && got != want {
		err = fmt.Errorf("%s: %w", path, errContent)
	}
	return err
}

// checkTree compares a whole folder: every file, and nothing besides.
func checkTree(root string, want map[string]sum) error {
	found := 0
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		rel, err := filepath.Rel(root, path)
		if err != nil {
			return err
		}
		s, ok := want[filepath.ToSlash(rel)]
		if !ok {
			return fmt.Errorf("%s: %w: not in the source", path, errContent)
		}
		found++
		return checkFile(path, s)
	})
	return errors.Join(err, checkCount(found, len(want)))
}

func checkCount(found, want int) error {
	if found != want {
		return fmt.Errorf("%w: found %d of %d", errContent, found, want)
	}
	return nil
}

// checkLines compares the end of each line that has a URL with what want says
// of that line's number, and their count with n.
func checkLines(path string, n int, want func(i int) string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	found := 0
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		line := lines.Text()
		if !strings.Contains(line, "oss://") {
			continue
		}
		if !strings.HasSuffix(line, want(found)) {
			return fmt.Errorf("%w: %q where %q should be", errContent, line, want(found))
		}
		found++
	}
	return errors.Join(lines.Err(), checkCount(found, n))
}
