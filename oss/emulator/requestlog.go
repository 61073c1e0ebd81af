package emulator

import (
	"encoding/json"
	"io"
	"log/slog"
	"sync"
	"time"
)

// logLine is a finished request as RequestLog gets it.
type logLine struct {
	Time      time.Time `json:"time"`
	Op        string    `json:"op"`
	Bucket    string    `json:"bucket,omitempty"`
	Key       string    `json:"key,omitempty"`
	UploadID  string    `json:"upload_id,omitempty"`
	Part      string    `json:"part,omitempty"`
	Range     string    `json:"range,omitempty"`
	Status    int       `json:"status"`
	Code      string    `json:"code,omitempty"`
	BytesIn   int64     `json:"bytes_in"`
	BytesOut  int64     `json:"bytes_out"`
	Duration  int64     `json:"duration_us"`
	RequestID string    `json:"request_id"`
	Fault     string    `json:"fault,omitempty"`
}

type requestLog struct {
	logger *slog.Logger

	mu sync.Mutex
	w  io.Writer // nil: no log
}

func (l *requestLog) write(line *logLine) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.w == nil {
		return
	}
	b, err := json.Marshal(line)
	if err == nil {
		_, err = l.w.Write(append(b, '\n'))
	}
	if err != nil {
		l.w = nil
		l.logger.Error("request log", "err", err)
	}
}
