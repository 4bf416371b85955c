package console

import (
	"context"
	"net/http"
	"sync"
)

// reading is who uses the reader of this machine: one at a time.
type reading struct {
	mu  sync.Mutex
	who string
}

// reader opens the card in the reader for the operator; what it returns is closed by its
// Close. While somebody else uses the reader the error says who.
func (q *request) reader(ctx context.Context) (*Reader, error) {
	b := &q.c.busy
	b.mu.Lock()
	if who := b.who; who != "" {
		b.mu.Unlock()
		return nil, &problem{
			"reader-in-use", http.StatusConflict,
			say{"Đầu đọc đang được " + who + " dùng", "The reader is being used by " + who},
			say{"Đợi việc kia xong rồi làm lại.", "Wait until that is done, then try again."},
		}
	}
	b.who = q.operator.Name
	b.mu.Unlock()
	free := func() {
		b.mu.Lock()
		b.who = ""
		b.mu.Unlock()
	}
	r, err := q.c.config.Reader(ctx)
	if err != nil {
		free()
		return nil, err
	}
	shut := r.Close
	r.Close = sync.OnceFunc(func() {
		shut()
		free()
	})
	return r, nil
}
