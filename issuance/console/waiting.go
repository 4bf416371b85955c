package console

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"net/url"
	"slices"
)

// waitingPage is what was sent to a locked session. Whoever came by meanwhile may have sent it:
// its operator sees all of it before it is done.
type waitingPage struct {
	Path     string
	Fields   []field
	Pictures []string // JPEG, in base64
}

// showWaiting asks whether what was sent to the locked session is to be done now.
func (q *request) showWaiting() error {
	w := q.session.kept(false)
	if w == nil {
		return q.redirect("/")
	}
	return q.render("waiting.html", w.page())
}

// sentNames are what the fields of forms are called, besides those of a person.
var sentNames = map[string]say{
	"reason": {"Lý do", "Reason"}, "second": {"Người thứ hai", "Second person"}, "replaces": {"Thay thẻ", "Replaces the card"}, "numbers": {"Số phôi", "Blanks"},
	"batch": {"Lô", "Batch"}, "count": {"Số đếm được", "Counted"}, "holder": {"Người mang thẻ", "The bearer"}, "blank": {"Phôi", "Blank"},
	"portrait": {"Ảnh chân dung", "Portrait"}, "fingers": {"Vân tay", "Fingerprints"}, "secret": {"CAN, MRZ hoặc mã QR", "CAN, MRZ or QR code"},
}

// unshown are fields that say nothing of what will be done: the form's number, and the digest
// of what an approver saw, which is held against what there is then.
var unshown = []string{"form", "seen", secondPassphrase}

// page reads what was sent.
func (w *waiting) page() waitingPage {
	p := waitingPage{Path: w.path}
	values, files := w.read()
	names := make([]string, 0, len(values))
	for name := range values {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		for _, v := range values[name] {
			p.add(name, v)
		}
	}
	for _, f := range files {
		p.addFile(f.name, f.octets)
	}
	return p
}

func (p *waitingPage) add(name, value string) {
	if slices.Contains(unshown, name) || value == "" {
		return
	}
	if b, err := base64.StdEncoding.DecodeString(value); err == nil && keptPicture(b) != "" {
		p.Pictures = append(p.Pictures, keptPicture(b))
		return
	}
	label := nameOf(sentNames, name)
	for _, f := range personFields {
		if f.Name == name {
			label = f.Label
		}
	}
	if name == "secret" || name == "qr" { // what opens a card stands on no page
		value = "…"
	}
	p.Fields = append(p.Fields, field{label, value})
}

func (p *waitingPage) addFile(name string, b []byte) {
	if len(b) == 0 {
		return
	}
	if kept := keptPicture(b); kept != "" {
		p.Pictures = append(p.Pictures, kept)
		return
	}
	p.Fields = append(p.Fields, field{nameOf(sentNames, name), fmt.Sprintf("%d byte", len(b))})
}

type sentFile struct {
	name   string
	octets []byte
}

// read takes the form apart; what is no form has no fields.
func (w *waiting) read() (url.Values, []sentFile) {
	kind, params, err := mime.ParseMediaType(w.kind)
	if err != nil {
		return nil, nil
	}
	if kind == "application/x-www-form-urlencoded" {
		values, _ := url.ParseQuery(string(w.body)) // as the form is read in the end
		return values, nil
	}
	values, files := url.Values{}, []sentFile(nil)
	if kind != "multipart/form-data" {
		return nil, nil
	}
	for r := multipart.NewReader(bytes.NewReader(w.body), params["boundary"]); ; {
		part, err := r.NextPart()
		if err != nil {
			return values, files
		}
		b, err := io.ReadAll(part)
		if err != nil {
			return values, files
		}
		if part.FileName() != "" {
			files = append(files, sentFile{part.FormName(), b})
		} else {
			values.Add(part.FormName(), string(b))
		}
	}
}
