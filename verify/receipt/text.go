package receipt

import (
	"encoding/base64"
	"fmt"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/tlog"
)

const proofHeader = "c2sp.org/tlog-proof@v1"

// MarshalText returns the proof in the form of C2SP tlog-proof v1, as it is kept in files
// named .tlog-proof. Errors wrap ErrFormat.
func (p *Proof) MarshalText() ([]byte, error) {
	if err := p.wellFormed(); err != nil {
		return nil, err
	}
	var b strings.Builder
	b.WriteString(proofHeader + "\n")
	if p.Extra != nil {
		b.WriteString("extra " + base64.StdEncoding.EncodeToString(p.Extra) + "\n")
	}
	b.WriteString("index " + strconv.FormatInt(p.Index, 10) + "\n")
	for _, h := range p.Hashes {
		b.WriteString(h.String() + "\n")
	}
	b.WriteString("\n")
	b.Write(p.Checkpoint)
	return []byte(b.String()), nil
}

func (p *Proof) wellFormed() error {
	if p.Index < 0 || len(p.Hashes) > MaxHashes || len(p.Extra) > MaxExtra || p.Extra != nil && len(p.Extra) == 0 {
		return fmt.Errorf("%w: out of bounds", ErrFormat)
	}
	_, err := ParseCheckpoint(p.Checkpoint)
	return err
}

// Parse reads a proof as text. It is total: what is not in the one form of a tlog-proof
// v1 is ErrFormat. It verifies nothing.
func Parse(text []byte) (*Proof, error) {
	if len(text) > MaxProof {
		return nil, fmt.Errorf("%w: %d octets", ErrFormat, len(text))
	}
	head, rest, ok := strings.Cut(string(text), "\n")
	if !ok || head != proofHeader {
		return nil, fmt.Errorf("%w: it does not begin with %s", ErrFormat, proofHeader)
	}
	p := new(Proof)
	line, rest, ok := strings.Cut(rest, "\n")
	if extra, is := strings.CutPrefix(line, "extra "); is && ok {
		var err error
		if p.Extra, err = base64.StdEncoding.Strict().DecodeString(extra); err != nil || strings.Contains(extra, "\r") {
			return nil, fmt.Errorf("%w: the extra data", ErrFormat)
		}
		line, rest, ok = strings.Cut(rest, "\n")
	}
	index, is := strings.CutPrefix(line, "index ")
	if !is || !ok {
		return nil, fmt.Errorf("%w: no index", ErrFormat)
	}
	var err error
	if p.Index, err = ParseSize(index); err != nil {
		return nil, err
	}
	if p.Hashes, rest, err = ReadHashes(rest); err != nil {
		return nil, err
	}
	p.Checkpoint = []byte(rest)
	if err := p.wellFormed(); err != nil {
		return nil, err
	}
	return p, nil
}

// ReadHashes reads lines of hashes up to an empty one, at most MaxHashes of them, and
// returns what follows. Errors wrap ErrFormat.
func ReadHashes(text string) (list []tlog.Hash, rest string, err error) {
	for {
		line, after, ok := strings.Cut(text, "\n")
		switch {
		case !ok || len(list) > MaxHashes:
			return nil, "", fmt.Errorf("%w: the hashes have no end", ErrFormat)
		case line == "":
			return list, after, nil
		}
		h, err := parseHash(line)
		if err != nil {
			return nil, "", err
		}
		list, text = append(list, h), after
	}
}
