package transfer

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"sync"
)

// spool keeps folders in a file without a name, so that any number costs no
// memory. Its methods may be called at the same time, but for close.
type spool struct {
	mu   sync.Mutex
	file *os.File
	end  int64
}

func newSpool(dir string) (*spool, error) {
	file, err := createNameless(dir, "osssync-folders-")
	if err != nil {
		return nil, err
	}
	return &spool{file: file}, nil
}

// lengthSize is the size of the length behind each folder in the file, in bytes.
const lengthSize = 4

func (s *spool) add(f folderLast) error {
	text, err := json.Marshal(f)
	if err != nil {
		return err
	}
	text = binary.BigEndian.AppendUint32(text, uint32(len(text)))
	s.mu.Lock()
	defer s.mu.Unlock()
	n, err := s.file.WriteAt(text, s.end)
	s.end += int64(n)
	return err
}

// backwards reads back what was added, the last first, so many at a time.
func (s *spool) backwards(size int, each func([]folderLast) error) error {
	s.mu.Lock()
	end := s.end
	s.mu.Unlock()
	for end > 0 {
		batch := make([]folderLast, 0, size)
		for end > 0 && len(batch) < size {
			var length [lengthSize]byte
			if _, err := s.file.ReadAt(length[:], end-lengthSize); err != nil {
				return err
			}
			text := make([]byte, binary.BigEndian.Uint32(length[:]))
			end -= lengthSize + int64(len(text))
			if _, err := s.file.ReadAt(text, end); err != nil {
				return err
			}
			var f folderLast
			if err := json.Unmarshal(text, &f); err != nil {
				return err
			}
			batch = append(batch, f)
		}
		if err := each(batch); err != nil {
			return err
		}
	}
	return nil
}

func (s *spool) close() error { return closeNameless(s.file) }

// createNameless makes a file that nobody else can open, and that is gone when it
// is closed, or the process dies. dir "" is the system's folder for such files.
func createNameless(dir, pattern string) (*os.File, error) {
	file, err := os.CreateTemp(dir, pattern)
	if err != nil {
		return nil, err
	}
	if err := os.Remove(file.Name()); err != nil && !errors.Is(err, fs.ErrPermission) { // Windows keeps it until it is closed
		return nil, errors.Join(err, file.Close())
	}
	return file, nil
}

func closeNameless(file *os.File) error {
	err := file.Close()
	if rm := os.Remove(file.Name()); rm != nil && !errors.Is(rm, fs.ErrNotExist) {
		err = errors.Join(err, rm)
	}
	return err
}
