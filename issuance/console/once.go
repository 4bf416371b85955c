package console

import "sync"

// maxDone bounds how many forms a session remembers as sent.
const maxDone = 64

// done are the forms of a session that were sent, by the number each page gave its form: one
// sent twice does once what it says and leads to the same page.
type done struct {
	mu   sync.Mutex
	next map[string]string
	old  []string
}

// once does what a form says unless the same form has done it, and leads to the next page.
// What failed may be tried again. Forms of one session go one after the other.
func (q *request) once(do func() (next string, err error)) error {
	number := q.FormValue("form")
	if len(number) < 16 || len(number) > 64 {
		return errForm
	}
	d := q.session.done
	d.mu.Lock()
	defer d.mu.Unlock()
	next, ok := d.next[number]
	if !ok {
		var err error
		if next, err = do(); err != nil {
			return err
		}
		d.keep(number, next)
	}
	return q.redirect(next)
}

func (d *done) keep(number, next string) {
	if d.next == nil {
		d.next = map[string]string{}
	}
	if len(d.old) >= maxDone {
		delete(d.next, d.old[0])
		d.old = d.old[1:]
	}
	d.next[number], d.old = next, append(d.old, number)
}
