package main

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/tamthe/tamthe/apdu/pcsc"
)

// diagnosed is a machine with every kind of reader.
func diagnosed() pcsc.Diagnosis {
	atr := []byte{0x3B, 0x8A, 0x80, 0x01}
	return pcsc.Diagnosis{Library: "pcsclite 2.0", Readers: []pcsc.ReaderDiagnosis{
		{Reader: pcsc.Reader{Name: "Empty 00"}},
		{Reader: pcsc.Reader{Name: "Good 00", Card: true, ATR: atr}, Protocol: pcsc.T1, Extended: pcsc.ExtendedYes, MaxCommand: 65544, Driver: "Maker 1.5.2", CardRate: 312500},
		{Reader: pcsc.Reader{Name: "Used 00", Card: true, Busy: true, ATR: atr}, Error: pcsc.ErrBusy},
		{Reader: pcsc.Reader{Name: "Dirty\x1b[2J 00", Card: true, Mute: true}, Error: pcsc.ErrUnresponsive},
	}}
}

func TestDoctor(t *testing.T) {
	var out, errw bytes.Buffer
	p := &program{out: &out, err: &errw, home: home(t.TempDir())}
	err := runDoctor(t.Context(), p, diagnosed())
	if status := p.finish(err); status != exitReader || errw.Len() > 0 {
		t.Errorf("status %d, %q", status, &errw)
	}
	for _, want := range []string{
		"PC/SC     answers  pcsclite 2.0\n",
		"reader    Empty 00: empty\n",
		"reader    Good 00: card, T=1, ATR 3b8a8001, extended length: yes\n",
		"          driver: Maker 1.5.2, longest command: 65544 octets, bit rate of the reader: not told, of the card: up to 312500 bit/s\n",
		"reader    Used 00: a card that cannot be opened\n",
		"PROBLEM   Used 00: another program holds the card\n          → close the other program that uses the card\n",
		"reader    Dirty\\u001b[2J 00: a card that cannot be opened\n",
		"          → turn the card over, clean its contacts",
		"without an anchor every card is referred",
	} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("no %q in\n%s", want, &out)
		}
	}
	healthy := diagnosed()
	healthy.Readers = healthy.Readers[:2]
	out.Reset()
	p.documents = true
	if err := runDoctor(t.Context(), p, healthy); err != nil {
		t.Error(err)
	}
	if want := `"readers":[{"name":"Empty 00","card":false,"busy":false,"mute":false,"atr":""},` +
		`{"name":"Good 00","card":true,"busy":false,"mute":false,"atr":"3b8a8001","protocol":"T=1","extended":"yes","max_command":65544,"driver":"Maker 1.5.2","card_rate":312500}]`; !strings.Contains(out.String(), want) {
		t.Errorf("no %s in\n%s", want, &out)
	}
	err = runDoctor(t.Context(), p, pcsc.Diagnosis{})
	if v, ok := errors.AsType[verdictError](err); !ok || int(v) != exitReader {
		t.Errorf("no reader: %v", err)
	}
}

func TestListReaders(t *testing.T) {
	var list []pcsc.Reader
	for _, r := range diagnosed().Readers {
		list = append(list, r.Reader)
	}
	var out bytes.Buffer
	p := &program{out: &out}
	if err := p.listReaders(list); err != nil {
		t.Fatal(err)
	}
	want := "Empty 00           empty                 \n" +
		"Good 00            card                  3b8a8001\n" +
		"Used 00            card in use           3b8a8001\n" +
		"Dirty\\u001b[2J 00  card does not answer  \n"
	if out.String() != want {
		t.Errorf("%q", &out)
	}
	out.Reset()
	p.documents = true
	if err := p.listReaders(list[:1]); err != nil {
		t.Fatal(err)
	}
	if want := `{"schema":"tamthe/readers/1","readers":[{"name":"Empty 00","card":false,"busy":false,"mute":false,"atr":""}]}` + "\n"; out.String() != want {
		t.Errorf("%q", &out)
	}
}
