package ceremony

import (
	"context"
	"crypto"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/tamthe/tamthe/issuance"
)

// Contexts of custodians' signatures; see issuance.SignMessage.
const (
	challengeContext  = "ceremony challenge"
	transcriptContext = "ceremony transcript"
	fileContext       = "ceremony file"
)

// Custodian is a person with their key.
type Custodian struct {
	Name string
	Key  crypto.Signer
}

// Output is what an act made: the name of a file, and its octets' SHA-256.
type Output struct {
	Name   string
	Digest [32]byte
}

// Room is where a ceremony takes place. All of it must be set.
type Room struct {
	Now        func() time.Time
	Transcript io.Writer // gets every line as it happens
	// Custodian lets the nth custodian, from 0, come forward. The caller forgets the keys.
	Custodian func(ctx context.Context, n int) (Custodian, error)
	// Ask prompts whoever speaks for the room and returns one line.
	Ask func(ctx context.Context, prompt string) (string, error)
	// Show says something to all.
	Show func(text string)
	// Act makes or uses a key, with the custodians' signatures.
	Act func(ctx context.Context, act string, with map[string]string, by []Custodian) ([]Output, error)
	// CheckValue is what is read aloud of a file or key: a few groups of hexadecimal digits.
	CheckValue func(ctx context.Context, of string) (string, error)
	// Import takes a file in with what was signed of it; Export gives one out.
	Import func(ctx context.Context, of string) (content, signed []byte, err error)
	Export func(ctx context.Context, of string, sign func(content []byte) ([]byte, error)) (Output, error)
	// Known says whether a key is that of somebody who may sign files for this room.
	Known func(ctx context.Context, name, key string) error
}

// Run conducts a ceremony. Whatever stops it is recorded, as far as the transcript can be
// written, and returned; then nothing that the script has further on was done. A rehearsal
// is marked as one; that its room has throwaway keys is the caller's care.
func Run(ctx context.Context, s *Script, room Room, rehearsal bool) error {
	c := conductor{writer: writer{out: room.Transcript, now: room.Now, prev: start}, room: room, script: s}
	err := c.add(Record{Kind: kindBegin, Item: s.Title, Digest: sum(s.raw), Text: string(s.raw), Rehearsal: rehearsal})
	for i, step := range s.Steps {
		if err != nil {
			break
		}
		c.step = i + 1
		err = c.do(ctx, step)
	}
	if err == nil {
		err = c.close()
	}
	if err != nil {
		return errors.Join(err, c.add(Record{Kind: kindStop, Step: c.step, Text: clean(err.Error())}))
	}
	return nil
}

// clean makes one line of an error.
func clean(s string) string {
	s = strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return ' '
		}
		return r
	}, s)
	return s[:min(len(s), maxText)]
}

type conductor struct {
	writer
	room   Room
	script *Script
	step   int
	by     []Custodian
}

func (c *conductor) do(ctx context.Context, s Step) error {
	switch s.Do {
	case DoAttend:
		return c.attend(ctx)
	case DoSay:
		return c.say(ctx, s)
	case DoAsk:
		answer, err := c.room.Ask(ctx, s.Text)
		if err != nil {
			return err
		}
		if answer == "" || !printed(answer) {
			return fmt.Errorf("%w: %q was not answered", ErrAnswer, s.Text)
		}
		return c.add(Record{Kind: DoAsk, Step: c.step, Prompt: s.Text, Answer: answer})
	case DoAct:
		return c.act(ctx, s)
	case DoRead:
		return c.read(ctx, s)
	case DoImport:
		return c.take(ctx, s)
	}
	return c.give(ctx, s)
}

// attend has as many custodians come forward as the script wants, all different, and each
// sign the hash of what happened so far.
func (c *conductor) attend(ctx context.Context) error {
	seen := map[string]bool{}
	for n := range c.script.Custodians {
		who, err := c.room.Custodian(ctx, n)
		if err != nil {
			return fmt.Errorf("%w: %w", ErrCustodian, err)
		}
		key, err := issuance.KeyField(who.Key.Public())
		if err != nil {
			return fmt.Errorf("%w: %w", ErrCustodian, err)
		}
		if who.Name == "" || !word(who.Name) || seen[who.Name] || seen[key] {
			return fmt.Errorf("%w: %q is there twice, or has no name", ErrCustodian, who.Name)
		}
		seen[who.Name], seen[key] = true, true
		sig, err := issuance.SignMessage(who.Key, challengeContext, []byte(who.Name+" "+c.prev))
		if err != nil {
			return fmt.Errorf("%w: %w", ErrCustodian, err)
		}
		c.by = append(c.by, who)
		if err := c.add(Record{Kind: DoAttend, Step: c.step, Who: who.Name, Key: key, Signature: hex.EncodeToString(sig)}); err != nil {
			return err
		}
	}
	return nil
}

// yes is the answer by which a step is done, in the program's languages.
func yes(s string) bool {
	switch strings.ToLower(strings.TrimSpace(s)) {
	case "yes", "có":
		return true
	}
	return false
}

func (c *conductor) say(ctx context.Context, s Step) error {
	answer, err := c.room.Ask(ctx, s.Text)
	if err != nil {
		return err
	}
	if err := c.add(Record{Kind: DoSay, Step: c.step, Prompt: s.Text, Answer: clean(answer)}); err != nil {
		return err
	}
	if !yes(answer) {
		return fmt.Errorf("%w: %q", ErrAnswer, s.Text)
	}
	return nil
}

func (c *conductor) act(ctx context.Context, s Step) error {
	if err := c.add(Record{Kind: DoAct, Step: c.step, Item: s.Act, Prompt: s.Text}); err != nil {
		return err
	}
	outputs, err := c.room.Act(ctx, s.Act, s.With, c.by)
	if err != nil {
		return fmt.Errorf("%s: %w", s.Act, err)
	}
	for _, o := range outputs {
		c.room.Show(fmt.Sprintf("%s: %s, SHA-256 %x", s.Act, o.Name, o.Digest))
		if err := c.add(Record{Kind: kindOutput, Step: c.step, Item: o.Name, Digest: hex.EncodeToString(o.Digest[:])}); err != nil {
			return err
		}
	}
	return nil
}

// kindOutput is the record of what an act made.
const kindOutput = "output"

// read has a check value read aloud by one and typed by another.
func (c *conductor) read(ctx context.Context, s Step) error {
	value, err := c.room.CheckValue(ctx, s.Of)
	if err != nil {
		return err
	}
	c.room.Show(fmt.Sprintf("read aloud: %s is %s", s.Of, value))
	answer, err := c.room.Ask(ctx, fmt.Sprintf("type the check value of %s as it was heard", s.Of))
	if err != nil {
		return err
	}
	if err := c.add(Record{Kind: DoRead, Step: c.step, Item: s.Of, Prompt: value, Answer: clean(answer)}); err != nil {
		return err
	}
	if heard(answer) != heard(value) {
		return fmt.Errorf("%w: %s was heard as %q", ErrAnswer, s.Of, clean(answer))
	}
	return nil
}

// heard is a check value without case, spaces and hyphens.
func heard(s string) string {
	return strings.Map(func(r rune) rune {
		if r == ' ' || r == '-' {
			return -1
		}
		return r
	}, strings.ToLower(s))
}

// close ends the transcript: each custodian signs it up to the end.
func (c *conductor) close() error {
	if err := c.add(Record{Kind: kindEnd}); err != nil {
		return err
	}
	for _, who := range c.by {
		key, err := issuance.KeyField(who.Key.Public())
		if err != nil {
			return err
		}
		r := c.place(Record{Kind: kindSign, Who: who.Name, Key: key})
		signed, err := r.signed()
		if err != nil {
			return err
		}
		sig, err := issuance.SignMessage(who.Key, transcriptContext, signed)
		if err != nil {
			return fmt.Errorf("%w: %s did not sign: %w", ErrCustodian, who.Name, err)
		}
		r.Signature = hex.EncodeToString(sig)
		if err := c.append(r); err != nil {
			return err
		}
	}
	return nil
}
