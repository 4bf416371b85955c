// Package mobile is verify for a phone: an inspection through its contactless reader, in
// names and types that gomobile can bind for Kotlin, Java and Swift.
//
//	gomobile bind -target=android github.com/tamthe/tamthe/verify/mobile
package mobile

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"time"

	"github.com/tamthe/tamthe/apdu"
	"github.com/tamthe/tamthe/apdu/isodep"
	"github.com/tamthe/tamthe/card/auth"
	"github.com/tamthe/tamthe/card/lds"
	"github.com/tamthe/tamthe/card/mrz"
	"github.com/tamthe/tamthe/verify"
	"github.com/tamthe/tamthe/verify/pki"
)

// Tag is the phone's contactless reader with a card in its field: a class around Android's
// android.nfc.tech.IsoDep.
type Tag interface {
	// Transceive sends a command APDU and returns the answer with its two status octets.
	Transceive(command []byte) ([]byte, error)
	// MaxTransceiveLength is the largest command in octets, 0 if the phone doesn't say.
	MaxTransceiveLength() int
	// ExtendedLength says whether the phone carries APDUs of extended length.
	ExtendedLength() bool
}

// Progress is told how far the reading of a file is. It is called on the inspection's
// thread.
type Progress interface {
	OnFile(name string, done, total int)
}

// Inspector inspects cards against one trust folder. It may be used again and again, from
// one thread at a time.
type Inspector struct {
	trust  *pki.Store
	policy verify.Policy
	zone   *time.Location

	running sync.Mutex // guards cancel
	cancel  context.CancelFunc
}

// NewInspector loads the trust folder of that path. policy is "checkpoint", "quick" or
// another of package verify. zoneMinutes is how far the clock of the place is ahead of UTC,
// 420 in Vietnam: it says on which day a card is judged, which Android does not tell Go.
func NewInspector(trustFolder, policy string, zoneMinutes int) (*Inspector, error) {
	p, err := verify.PolicyByName(policy)
	if err != nil {
		return nil, err
	}
	store, err := pki.LoadStore(os.DirFS(trustFolder), pki.LoadOptions{})
	if err != nil {
		return nil, fmt.Errorf("load the trust folder: %w", err)
	}
	return &Inspector{trust: store, policy: p, zone: time.FixedZone("", 60*zoneMinutes)}, nil
}

// Cancel gives up the inspection that is going on. It may be called from any thread.
func (i *Inspector) Cancel() {
	i.running.Lock()
	defer i.running.Unlock()
	if i.cancel != nil {
		i.cancel()
	}
}

// begin makes the context of an inspection.
func (i *Inspector) begin() (context.Context, context.CancelFunc) {
	i.running.Lock()
	defer i.running.Unlock()
	ctx, cancel := context.WithCancel(context.Background())
	i.cancel = cancel
	return ctx, cancel
}

// InspectCAN opens the card with its card access number; see Inspect.
func (i *Inspector) InspectCAN(tag Tag, can string, atUnix int64, p Progress) (*Result, error) {
	return i.inspect(tag, auth.CAN(can), atUnix, p)
}

// InspectMRZ opens the card with its machine readable zone, or with "number;YYMMDD;YYMMDD"
// of document number, birth and expiry. A bad card is a Result, an error means that the
// inspection did not happen. atUnix is the time of judgement in seconds since 1970; p may
// be nil.
func (i *Inspector) InspectMRZ(tag Tag, zone string, atUnix int64, p Progress) (*Result, error) {
	key, err := mrz.ParseKey(zone)
	if err != nil {
		return nil, err
	}
	return i.inspect(tag, auth.MRZ(key.Info()), atUnix, p)
}

func (i *Inspector) inspect(tag Tag, password auth.Password, atUnix int64, p Progress) (*Result, error) {
	defer password.Destroy()
	if tag == nil {
		return nil, errors.New("no tag")
	}
	wire := isodep.New(tag)
	o := verify.Options{
		Trust: i.trust, Policy: i.policy, At: time.Unix(atUnix, 0).In(i.zone), Passwords: []auth.Password{password}, Reader: wire.Limits(),
	}
	if p != nil {
		o.Progress = func(f lds.File, done, total int) { p.OnFile(f.Name(), done, total) }
	}
	ctx, cancel := i.begin()
	defer cancel()
	report, err := verify.Inspect(ctx, apdu.Over(wire, apdu.Limits{}), o)
	if err != nil {
		return nil, err
	}
	return &Result{report}, nil
}

// Result is what an inspection found.
type Result struct{ report *verify.Report }

// Verdict is "accept", "refer" or "refuse".
func (r *Result) Verdict() string { return r.report.Verdict.String() }

// JSON is the whole report, schema tamthe/verify/1.
func (r *Result) JSON() (string, error) {
	b, err := r.report.JSON()
	return string(b), err
}

// Text is the report as an officer reads it, in the language "vi" or "en".
func (r *Result) Text(lang string) (string, error) {
	var b bytes.Buffer
	err := r.report.Render(&b, verify.Lang(lang), verify.RenderOptions{})
	return b.String(), err
}

// Reason is the first reason that keeps the verdict from "accept", in the language "vi" or
// "en": its cause and what to do; "" for none.
func (r *Result) Reason(lang string) string {
	list := r.report.Reasons()
	if len(list) == 0 {
		return ""
	}
	w := list[0].Words(verify.Lang(lang))
	return w.Cause + ". " + w.Remedy
}

// Name is the holder's name, escaped for display; "" unless it is proven.
func (r *Result) Name() string {
	id, err := r.report.Identity()
	if err != nil {
		return ""
	}
	if id.Name != "" {
		return verify.Escape(id.Name)
	}
	return verify.Escape(id.Surname + " " + id.Given)
}

// Portrait is the holder's portrait as it lies on the chip; empty unless it is proven.
func (r *Result) Portrait() []byte {
	face, ok, err := r.report.Portrait()
	if err != nil || !ok {
		return nil
	}
	return face.Image
}
