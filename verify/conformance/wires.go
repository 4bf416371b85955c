package conformance

import (
	"context"
	"slices"

	"github.com/tamthe/tamthe/apdu"
	"github.com/tamthe/tamthe/apdu/tlv"
)

// altered is somebody between chip and station who changes answers.
type altered struct {
	apdu.Wire
	change func(command, answer []byte) ([]byte, error)
}

func (a *altered) Exchange(ctx context.Context, b []byte) ([]byte, error) {
	command := slices.Clone(b)
	answer, err := a.Wire.Exchange(ctx, b)
	if err != nil {
		return nil, err
	}
	return a.change(command, answer)
}

// secured says whether a command goes under secure messaging.
func secured(command []byte) bool { return len(command) > 1 && command[0]&0x0C == 0x0C }

// onSecured changes the n-th answer under secure messaging, counted from 0, and those
// after it too if always.
func onSecured(n int, always bool, change func(answer []byte) []byte) func(*stage) apdu.Wire {
	return func(s *stage) apdu.Wire {
		seen := 0
		return &altered{s.chip, func(command, answer []byte) ([]byte, error) {
			if !secured(command) {
				return answer, nil
			}
			seen++
			if seen-1 == n || always && seen-1 > n {
				return change(answer), nil
			}
			return answer, nil
		}}
	}
}

// reader is a read under secure messaging: the third protected exchange of a checkpoint is
// the first that brings data.
const firstRead = 1

// paceStep counts the steps of PACE in the clear: 0 is MSE:Set AT, then GENERAL
// AUTHENTICATE 1 to 4.
type paceStep struct{ next int }

func (p *paceStep) take(command []byte) (int, bool) {
	if len(command) < 2 || secured(command) {
		return 0, false
	}
	switch {
	case command[1] == 0x22:
		p.next = 1
		return 0, true
	case command[1] == 0x86:
		p.next++
		return p.next - 1, true
	}
	return 0, false
}

// onPACE changes the answer of one step of PACE.
func onPACE(step int, change func(command, answer []byte) ([]byte, error)) func(*stage) apdu.Wire {
	return func(s *stage) apdu.Wire {
		var at paceStep
		return &altered{s.chip, func(command, answer []byte) ([]byte, error) {
			if n, ok := at.take(command); ok && n == step {
				return change(command, answer)
			}
			return answer, nil
		}}
	}
}

// statusOf answers a step of PACE with a status in the chip's place, or with silence if it
// is 0.
func statusOf(step int, status apdu.Status) func(*stage) apdu.Wire {
	return func(s *stage) apdu.Wire { return &refusing{Wire: s.chip, step: step, status: status} }
}

type refusing struct {
	apdu.Wire
	at     paceStep
	step   int
	status apdu.Status
}

func (r *refusing) Exchange(ctx context.Context, b []byte) ([]byte, error) {
	switch n, ok := r.at.take(b); {
	case !ok || n != r.step:
		return r.Wire.Exchange(ctx, b)
	case r.status == 0:
		return nil, apdu.ErrTimeout
	}
	return []byte{byte(r.status >> 8), byte(r.status)}, nil
}

// dynamic changes the objects in the dynamic authentication data (7C) of a step.
func dynamic(step int, change func(list []tlvObject, sent []byte) []tlvObject) func(*stage) apdu.Wire {
	return onPACE(step, func(command, answer []byte) ([]byte, error) {
		var sent []byte
		if c, err := apdu.ParseCommand(command); err == nil {
			if list := objects(c.Data); len(list) > 0 {
				sent = list[0].value
			}
		}
		if len(answer) < 2 {
			return answer, nil
		}
		list := change(objects(answer[:len(answer)-2]), sent)
		var body []byte
		for _, o := range list {
			body = tlv.Append(body, o.tag, o.value)
		}
		return append(tlv.Encode(0x7C, body), 0x90, 0x00), nil
	})
}

type tlvObject struct {
	tag   tlv.Tag
	value []byte
}

// objects are those within 7C.
func objects(b []byte) []tlvObject {
	s := tlv.String(b)
	var body, value tlv.String
	var tag tlv.Tag
	if !s.ReadTag(0x7C, &body) {
		return nil
	}
	var list []tlvObject
	for body.Read(&tag, &value) {
		list = append(list, tlvObject{tag, slices.Clone(value)})
	}
	return list
}

// valueOf replaces the first object's value of a step.
func valueOf(step int, value func(old, sent []byte) []byte) func(*stage) apdu.Wire {
	return dynamic(step, func(list []tlvObject, sent []byte) []tlvObject {
		if len(list) > 0 {
			list[0].value = value(list[0].value, sent)
		}
		return list
	})
}

// tagOf replaces the first object's tag of a step.
func tagOf(step int, tag tlv.Tag) func(*stage) apdu.Wire {
	return dynamic(step, func(list []tlvObject, _ []byte) []tlvObject {
		if len(list) > 0 {
			list[0].tag = tag
		}
		return list
	})
}

// onINS changes the answers to an instruction in the clear.
func onINS(ins byte, change func(answer []byte) []byte) func(*stage) apdu.Wire {
	return func(s *stage) apdu.Wire {
		return &altered{s.chip, func(command, answer []byte) ([]byte, error) {
			if len(command) > 1 && !secured(command) && command[1] == ins {
				return change(answer), nil
			}
			return answer, nil
		}}
	}
}

// flipped is b with a bit changed at an offset; a negative one counts from the end.
func flipped(b []byte, at int) []byte {
	b = slices.Clone(b)
	if at < 0 {
		at += len(b)
	}
	if at >= 0 && at < len(b) {
		b[at] ^= 0x01
	}
	return b
}
