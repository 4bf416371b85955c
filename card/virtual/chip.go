package virtual

import (
	"context"
	"crypto/rand"
	"fmt"
	"io/fs"
	"os"
	"sync"

	"github.com/tamthe/tamthe/apdu"
	"github.com/tamthe/tamthe/card/gp"
	"github.com/tamthe/tamthe/card/lds"
)

// Chip is one card. It is an apdu.Wire, serves one command at a time, and is safe for
// concurrent use.
type Chip struct {
	mu     sync.Mutex
	memory *memory
	image  image
	limits apdu.Limits
	closed bool

	onCommand func(apdu.Command) apdu.Status
	model     Model
	cost      Cost
	held      apdu.Response // what waits for GET RESPONSE

	// What the power keeps: one of the two, by the state in the image, or with Card42 both.
	perso  *personaliser
	use    *document
	domain bool // with Card42: the domain is selected
}

// New returns a chip that keeps its memory in the process. A key set that gp.Keys.Check
// refuses makes a chip that nobody can open. More than 15 historical octets panic.
func New(c Config) *Chip {
	chip, err := create("", c)
	if err != nil {
		panic("virtual: " + err.Error())
	}
	return chip
}

// Create makes a chip whose memory is a new file of mode 0600 and locks it. A file that is
// there already is fs.ErrExist.
func Create(path string, c Config) (*Chip, error) {
	if path == "" {
		return nil, fs.ErrInvalid
	}
	return create(path, c)
}

func create(path string, c Config) (*Chip, error) {
	first, err := c.factory()
	if err != nil {
		return nil, err
	}
	m, err := createMemory(path)
	if err != nil {
		return nil, err
	}
	chip := &Chip{memory: m, limits: c.Limits, model: c.Model}
	for _, r := range first {
		if err := chip.write(r); err != nil {
			m.close()
			os.Remove(path)
			return nil, fmt.Errorf("%s: %w", path, err)
		}
	}
	chip.powerUp()
	return chip, nil
}

// Load opens a memory file and locks it: ErrLocked, ErrNotChip, ErrCorrupt, or what the
// file system says. A record that was torn at the end of the file is dropped, as the chip
// does when power comes back.
func Load(path string) (*Chip, error) {
	m, err := openMemory(path)
	if err != nil {
		return nil, err
	}
	c := &Chip{memory: m}
	if err := c.read(); err != nil {
		m.close()
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	c.powerUp()
	return c, nil
}

// read builds the image from the memory.
func (c *Chip) read() error {
	c.image.destroy()
	c.image = image{}
	if err := c.memory.load(c.image.apply); err != nil {
		return err
	}
	if c.image.files == nil {
		return ErrNotChip
	}
	return nil
}

// write makes a record last, and then takes it into the image.
func (c *Chip) write(r record) error {
	if err := c.memory.write(r); err != nil {
		return err
	}
	return c.image.apply(r)
}

// store is write for a command: the status to answer with.
func (c *Chip) store(r record) apdu.Status {
	if c.write(r) != nil {
		return apdu.MemoryFailure
	}
	return apdu.OK
}

// powerUp begins a power cycle.
func (c *Chip) powerUp() {
	c.perso, c.use, c.domain = nil, nil, false
	if c.image.dialect == Card42 {
		c.perso, c.use = newPersonaliser(c), newDocument(c)
		return
	}
	if c.image.state == gp.StateSecured {
		c.use = newDocument(c)
	} else {
		c.perso = newPersonaliser(c)
	}
}

// Exchange takes one encoded command and returns the answer. Whatever the octets are,
// there is an answer; the error is ctx's, or apdu.ErrRemoved after Close and between a
// torn write and the next Reset.
func (c *Chip) Exchange(ctx context.Context, b []byte) ([]byte, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed || c.memory.torn {
		return nil, apdu.ErrRemoved
	}
	r := c.process(b)
	if c.memory.torn {
		return nil, apdu.ErrRemoved
	}
	answer := r.Bytes()
	c.exchanged(b, answer)
	return answer, nil
}

func (c *Chip) process(b []byte) apdu.Response {
	cmd, err := apdu.ParseCommand(b)
	if err != nil || !c.fits(b) {
		c.endSessions()
		return apdu.Response{Status: apdu.WrongLength}
	}
	return c.response(cmd)
}

func (c *Chip) serve(cmd apdu.Command) apdu.Response {
	if c.image.dialect == Card42 {
		return c.serveCard42(cmd)
	}
	if c.use != nil {
		return c.use.process(cmd)
	}
	r := c.perso.process(cmd)
	if c.image.state == gp.StateSecured { // the command was the lock
		c.powerUp()
	}
	return r
}

// fits says whether a command keeps to the chip's limits. One in extended encoding is
// beyond those of short encoding even if it is small.
func (c *Chip) fits(b []byte) bool {
	command, response := c.limits.Sizes()
	extended := len(b) >= 7 && b[4] == 0
	return len(b) <= command && (!extended || response > apdu.MaxShortLe+2)
}

// room is the most answer data that a command with this Le and the chip's limits leave,
// before protection.
func (c *Chip) room(le int) int {
	_, response := c.limits.Sizes()
	return min(le, response-2)
}

func (c *Chip) endSessions() {
	c.held = apdu.Response{}
	if c.use != nil {
		c.use.end()
	}
	if c.perso != nil {
		c.perso.end()
	}
}

// Reset takes the power away and gives it back: every session and half-finished sequence
// is gone, and the memory is read anew. A memory that can't be read any more, as its file
// was damaged meanwhile, closes the chip.
func (c *Chip) Reset() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return
	}
	c.endSessions()
	if c.memory.torn {
		if c.read() != nil {
			c.close()
			return
		}
	}
	c.powerUp()
}

// Limit sets the largest command and answer that the chip takes. The zero value stands
// for short encoding; the other extreme is 65,535 and 65,538 octets.
func (c *Chip) Limit(l apdu.Limits) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.limits = l
}

// KDD returns the chip's name, as it is printed on the batch's papers.
func (c *Chip) KDD() gp.KDD {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.image.kdd
}

// InUse reports whether the chip is locked for good.
func (c *Chip) InUse() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.image.state == gp.StateSecured
}

// Close takes the card away and releases its file. It may be called more than once.
func (c *Chip) Close() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.close()
}

func (c *Chip) close() error {
	if c.closed {
		return nil
	}
	c.endSessions()
	c.closed = true
	c.image.destroy()
	return c.memory.close()
}

// OnWrite sets a fault for tests: hook is called before each write to the memory with its
// number from 1 since OnWrite, and when it returns false the power fails in the midst of
// that write: half of the record lands, the command is not answered, and the chip is
// silent (apdu.ErrRemoved) until Reset, or until its file is loaded again. nil ends it.
// The hook must not call the chip.
func (c *Chip) OnWrite(hook func(n int) bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.memory.hook, c.memory.n = hook, 0
}

// OnCommand sets a fault for tests: hook sees each command below secure messaging, and a
// status other than zero is the answer in its place. nil ends it. The hook must not call
// the chip.
func (c *Chip) OnCommand(hook func(apdu.Command) apdu.Status) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.onCommand = hook
}

// Tamper changes one octet of a stored file as a fault in the chip's memory would: XOR
// with mask. The chip's keys stay what they are. A file that is not there is
// fs.ErrNotExist, an offset beyond its end fs.ErrInvalid.
func (c *Chip) Tamper(name lds.File, offset int, mask byte) error {
	fid := inside(name)
	c.mu.Lock()
	defer c.mu.Unlock()
	f := c.image.files[fid]
	switch {
	case c.closed:
		return apdu.ErrRemoved
	case f == nil:
		return fs.ErrNotExist
	case offset < 0 || offset >= len(f.data):
		return fs.ErrInvalid
	}
	return c.write(partRecord(fid, offset, []byte{f.data[offset] ^ mask}))
}

func randomKDD() (d gp.KDD) {
	rand.Read(d[:])
	return d
}
