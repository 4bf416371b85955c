package virtual

import (
	"time"

	"github.com/tamthe/tamthe/card/dh"
)

// Model says how long a chip, the air and a reader take. Nothing ever sleeps: a chip only
// adds up what each command would cost, so that ways to read a card can be compared
// without one. The zero value costs nothing.
type Model struct {
	Exchange time.Duration // reader, driver and daemon, for one command and its answer

	// The air, as in ISO/IEC 14443-4: frames of at most Block octets of an APDU, chained
	// where it is longer, each acknowledged by the other end.
	Turnaround time.Duration // for one frame
	Octet      time.Duration // for one octet on the air
	Block      int           // zero stands for 253
	Overhead   int           // octets around each frame

	// The chip, but for its public key operations.
	Command   time.Duration // for any command
	Protected time.Duration // beside that for a command under secure messaging
	ChipOctet time.Duration // for an octet of command or answer
	Block16   time.Duration // for a symmetric operation on a few octets outside secure messaging

	Keys KeyTimes
}

// KeyTimes are what a chip's public key operations take in a group of about 256 bits, in
// one of 512, and with RSA of 2048.
type KeyTimes struct {
	Generate256, Agree256, Sign256 time.Duration
	Generate512, Agree512, Sign512 time.Duration
	RSA2048                        time.Duration // private operation; verification is a fifth
}

// Times of real chips (JCAlgTest, as measured through the Java Card API).
const (
	ms = time.Millisecond
	us = time.Microsecond
)

// P71 is the NXP JCOP4 P71 (J3R180), contactless at 848 kbit/s behind a PC/SC reader.
func P71() Model {
	return contactless(Model{
		Command: 1 * ms, Protected: 4500 * us, ChipOctet: 2400 * time.Nanosecond, Block16: 1550 * us,
		Keys: KeyTimes{
			Generate256: 27 * ms, Agree256: 22 * ms, Sign256: 32 * ms,
			Generate512: 57 * ms, Agree512: 46 * ms, Sign512: 67 * ms, RSA2048: 61 * ms,
		},
	})
}

// P60 is the NXP JCOP3 P60 (J3H145), contactless at 848 kbit/s behind a PC/SC reader.
func P60() Model {
	return contactless(Model{
		Command: 1 * ms, Protected: 27 * ms, ChipOctet: 7 * us, Block16: 8400 * us,
		Keys: KeyTimes{
			Generate256: 156 * ms, Agree256: 55 * ms, Sign256: 56 * ms,
			Generate512: 494 * ms, Agree512: 174 * ms, Sign512: 177 * ms, RSA2048: 201 * ms,
		},
	})
}

// Native is a chip with an operating system of its own, without Java Card: P71's public
// key operations, and secure messaging in hardware.
func Native() Model {
	m := P71()
	m.Protected, m.ChipOctet, m.Block16 = 0, 2*us, 0
	return m
}

func contactless(m Model) Model {
	m.Exchange, m.Turnaround, m.Block, m.Overhead = 2500*us, 350*us, 253, 4
	return m.At(848)
}

// At returns the model with the air at a rate in kbit/s: 106, 212, 424, 848 or 3390.
func (m Model) At(rate int) Model {
	const etu = 9440 // nanoseconds at 106 kbit/s, of which an octet takes nine
	if rate > 0 {
		m.Octet = 9 * etu * 106 / time.Duration(rate)
	}
	return m
}

// Behind returns the model with a reader whose exchanges take d.
func (m Model) Behind(d time.Duration) Model {
	m.Exchange = d
	return m
}

// Cost is what commands took by a Model.
type Cost struct {
	APDUs      int
	Octets     int           // of commands and answers
	Host       time.Duration // reader, driver and daemon
	Turnaround time.Duration
	Air        time.Duration
	Symmetric  time.Duration // the chip's commands and secure messaging
	PublicKey  time.Duration
}

// Total is the modelled time of all of it.
func (c Cost) Total() time.Duration { return c.Host + c.Turnaround + c.Air + c.Symmetric + c.PublicKey }

// exchange adds a command and its answer, encoded.
func (m Model) exchange(c *Cost, command, answer int, protected bool) {
	block := m.Block
	if block <= 0 {
		block = 253
	}
	up, down := (command+block-1)/block, (answer+block-1)/block
	acknowledged := up + down - 2 // of chained frames all but the last
	c.APDUs++
	c.Octets += command + answer
	c.Host += m.Exchange
	c.Turnaround += time.Duration(up+down) * m.Turnaround
	c.Air += time.Duration(command+answer+(up+down+acknowledged)*m.Overhead) * m.Octet
	c.Symmetric += m.Command + time.Duration(command+answer)*m.ChipOctet
	if protected {
		c.Symmetric += m.Protected
	}
}

// work is a kind of public key operation.
type work byte

const (
	generate work = iota // a key pair
	agree                // a multiplication by a secret
	sign
	verify
)

// inGroup is the time of an operation in a group, between those of 256 and 512 bits in
// proportion. A multiplicative group costs as much as RSA of its size.
func (k KeyTimes) inGroup(w work, g dh.Group) time.Duration {
	if _, ok := g.(*dh.Curve); !ok {
		return k.rsa(w, g.Bits())
	}
	small, large := k.Agree256, k.Agree512
	switch w {
	case generate:
		small, large = k.Generate256, k.Generate512
	case sign, verify:
		small, large = k.Sign256, k.Sign512
	}
	return max(small+(large-small)*time.Duration(g.Bits()-256)/256, small/2)
}

// rsa is the time of an operation on numbers of so many bits, which grows as their cube.
func (k KeyTimes) rsa(w work, bits int) time.Duration {
	t := k.RSA2048 * time.Duration(bits) / 2048 * time.Duration(bits) / 2048 * time.Duration(bits) / 2048
	if w == verify {
		t /= 5
	}
	return t
}

// SetModel has the chip add up by m from now on, from zero. The model is no part of the
// chip's memory.
func (c *Chip) SetModel(m Model) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.model, c.cost = m, Cost{}
}

// Cost is what the commands since New, or since SetModel, took.
func (c *Chip) Cost() Cost {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.cost
}

// exchanged adds what a command and its answer took.
func (c *Chip) exchanged(command, answer []byte) {
	protected := len(command) >= 4 && command[0]&secureMessaging == secureMessaging && len(answer) > 2
	c.model.exchange(&c.cost, len(command), len(answer), protected)
}

// worked adds a public key operation, and with it some symmetric ones.
func (c *Chip) worked(g dh.Group, w ...work) {
	for _, o := range w {
		c.cost.PublicKey += c.model.Keys.inGroup(o, g)
	}
}

// enciphered adds n symmetric operations on a few octets.
func (c *Chip) enciphered(n int) { c.cost.Symmetric += time.Duration(n) * c.model.Block16 }
