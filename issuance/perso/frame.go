package perso

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"time"
)

// ErrFrame says that a connection between centre and desk brought something else than a
// frame, or one that is too long.
var ErrFrame = errors.New("not a frame of centre and desk")

// Over is a Courier over a connection to a desk that serves it. The connection has to
// prove who is at its other end, by TLS with certificates of both; this adds nothing to
// that. A failure ends the connection's use.
func Over(conn net.Conn) Courier {
	var mu sync.Mutex
	return func(ctx context.Context, script []byte) ([]byte, error) {
		mu.Lock()
		defer mu.Unlock()
		stop := context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Unix(1, 0)) })
		defer stop()
		if err := writeFrame(conn, script); err != nil {
			return nil, fmt.Errorf("send a script to the desk: %w", err)
		}
		b, err := readFrame(conn)
		if err != nil {
			return nil, fmt.Errorf("wait for the desk's answers: %w", err)
		}
		return b, nil
	}
}

// Serve carries out the scripts that come over a connection, until it ends (nil), ctx
// ends, or something else than a script comes.
func (s *Station) Serve(ctx context.Context, conn net.Conn) error {
	stop := context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Unix(1, 0)) })
	defer stop()
	for {
		script, err := readFrame(conn)
		if errors.Is(err, io.EOF) {
			return nil
		}
		var answers []byte
		if err == nil {
			answers, err = s.Do(ctx, script)
		}
		if err == nil {
			err = writeFrame(conn, answers)
		}
		if err != nil {
			return errors.Join(ctx.Err(), err)
		}
	}
}

// A frame is its length in four octets and so many.

func writeFrame(w io.Writer, b []byte) error {
	_, err := w.Write(append(binary.BigEndian.AppendUint32(make([]byte, 0, 4+len(b)), uint32(len(b))), b...))
	return err
}

// readFrame is io.EOF only before the first octet.
func readFrame(r io.Reader) ([]byte, error) {
	var head [4]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return nil, err
	}
	n := binary.BigEndian.Uint32(head[:])
	if n == 0 || n > maxScript {
		return nil, fmt.Errorf("%d octets: %w", n, ErrFrame)
	}
	b := make([]byte, n)
	if _, err := io.ReadFull(r, b); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrFrame, err)
	}
	return b, nil
}
