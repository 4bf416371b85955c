package eid

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/tamthe/tamthe/apdu/relay"
	"github.com/tamthe/tamthe/card"
	"github.com/tamthe/tamthe/card/lds"
)

// Lend lets the service read an open card itself, as far as the request needs, and gives what
// the citizen redeems the login with. The password of the card stays here, and so does the
// channel that it opened: the service is let at the files of the agreed fields, at no others,
// and at one signature of the chip, over this login's challenge. A service that asks for
// more is a *relay.Refusal. The session is over afterwards.
func (l *Login) Lend(ctx context.Context, s *card.Session) (*Step, error) {
	ctx, cancel := context.WithTimeout(ctx, relayTime)
	defer cancel()
	stream, err := l.upgrade(ctx)
	if err != nil {
		return nil, err
	}
	l.Read = l.files()
	last, err := relay.Carry(ctx, stream, s.Lend(), l.rules())
	if errors.Is(err, relay.ErrGone) || errors.Is(err, relay.ErrStream) || errors.Is(err, relay.ErrSilent) {
		return nil, fmt.Errorf("%w: %w", ErrService, err)
	}
	if err != nil {
		return nil, err
	}
	return l.lastWord(last)
}

// files are those that the service may read.
func (l *Login) files() []lds.File {
	files := []lds.File{lds.SODFile, lds.DG1, lds.DG14, lds.DG15}
	if l.Request.national() {
		files = append(files, lds.DG13)
	}
	slices.Sort(files)
	return files
}

// rules are what the service may do with the card.
func (l *Login) rules() relay.Rules {
	challenge := l.Request.Challenge(l.agent)
	r := relay.Rules{Challenge: challenge[:], Octets: maxFiles}
	for _, f := range l.files() {
		r.Files = append(r.Files, relay.File{FID: f.FID(), SFI: f.SFI()})
	}
	return r
}

// lastWord reads how the service ended the login.
func (l *Login) lastWord(last []byte) (*Step, error) {
	var end struct {
		Next
		Code    Code     `json:"code"`
		Reasons []string `json:"reasons"`
	}
	if json.Unmarshal(last, &end) != nil || end.Code == CodeOutOfOrder {
		return nil, ErrService
	}
	if end.Code != "" {
		return nil, refuse(end.Code, end.Reasons...)
	}
	step, err := end.step()
	if err != nil {
		return nil, err
	}
	return l.last(step)
}

// upgrade has the service take the connection over, by HTTP/1.1: an HTTP/2 connection has
// others on it.
func (l *Login) upgrade(ctx context.Context) (io.ReadWriteCloser, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, strings.TrimSuffix(l.client.URL, "/")+"/eid/v2/agent/"+l.Request.Session+"/relay", nil)
	if err != nil {
		return nil, fmt.Errorf("%w: its address is none", ErrService)
	}
	req.Header.Set("Connection", "Upgrade")
	req.Header.Set("Upgrade", relay.Protocol)
	req.Header.Set("Eid-Agent", l.agent)
	web := l.client.web()
	var h1 http.Protocols
	h1.SetHTTP1(true)
	from, ok := web.Transport.(*http.Transport)
	if !ok {
		from, _ = http.DefaultTransport.(*http.Transport)
	}
	own := from.Clone()
	own.Protocols, own.TLSNextProto, own.ResponseHeaderTimeout = &h1, nil, 10*time.Second
	if own.TLSClientConfig != nil {
		own.TLSClientConfig.NextProtos = []string{"http/1.1"}
	}
	web.Transport, web.Timeout = own, 0 // a client with a time limit gives no stream
	resp, err := web.Do(req)
	own.CloseIdleConnections()
	if err != nil {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		return nil, fmt.Errorf("%w: it cannot be reached", ErrService)
	}
	stream, ok := resp.Body.(io.ReadWriteCloser)
	if resp.StatusCode == http.StatusSwitchingProtocols && resp.Header.Get("Upgrade") == relay.Protocol && ok {
		return stream, nil
	}
	defer resp.Body.Close()
	reply, err := io.ReadAll(io.LimitReader(resp.Body, maxReply))
	if err != nil {
		return nil, ErrService
	}
	return nil, refusalIn(resp.StatusCode, reply)
}
