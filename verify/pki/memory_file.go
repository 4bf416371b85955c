package pki

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// The bounds of a memory. A device sees a list or two of each of two hundred states.
const (
	maxMarks      = 2048
	maxMarkKind   = 32
	maxMarkIssuer = 512
	maxMemory     = maxMarks * (4*maxMarkIssuer + 256) // octets
)

// memoryHeader is the first line of the file. A line for each mark follows, and the
// SHA-256 of all of them.
const memoryHeader = "tamthe seen lists 1\n"

// valid says whether a memory can keep the mark.
func (m Mark) valid() error {
	word := m.Kind != "" && len(m.Kind) <= maxMarkKind && !strings.ContainsFunc(m.Kind, func(r rune) bool {
		return r != '-' && (r < 'a' || r > 'z')
	})
	switch y := m.Signed.UTC().Year(); {
	case !word, m.Issuer == "", len(m.Issuer) > maxMarkIssuer, !utf8.ValidString(m.Issuer), y < 1, y > 9999:
		return fmt.Errorf("list %q of %q: %w", m.Kind, m.Issuer, ErrMemory)
	case m.Sequence == 0 && m.Signed.IsZero():
		return fmt.Errorf("list %q of %q has neither number nor time: %w", m.Kind, m.Issuer, ErrMemory)
	}
	return nil
}

func compareMarks(a, b Mark) int {
	return cmp.Or(cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Issuer, b.Issuer))
}

func marshalMemory(seen map[series]Mark) ([]byte, error) {
	if len(seen) > maxMarks {
		return nil, fmt.Errorf("more than %d lists: %w", maxMarks, ErrMemory)
	}
	var b strings.Builder
	b.WriteString(memoryHeader)
	for _, m := range slices.SortedFunc(maps.Values(seen), compareMarks) {
		signed := "-"
		if !m.Signed.IsZero() {
			signed = m.Signed.UTC().Format(time.RFC3339)
		}
		fmt.Fprintf(&b, "%s %d %s %x %s\n", m.Kind, m.Sequence, signed, m.Digest, strconv.QuoteToASCII(m.Issuer))
	}
	sum := sha256.Sum256([]byte(b.String()))
	return fmt.Appendf(nil, "%s%x\n", b.String(), sum), nil
}

// parseMemory reads what marshalMemory wrote and nothing else.
func parseMemory(b []byte) (map[series]Mark, error) {
	text := string(b)
	end := len(text) - 2*sha256.Size - 1
	if end < len(memoryHeader) || text[:len(memoryHeader)] != memoryHeader {
		return nil, fmt.Errorf("%w: it was cut short, or is no such record", ErrMemory)
	}
	if sum := sha256.Sum256(b[:end]); text[end:] != hex.EncodeToString(sum[:])+"\n" {
		return nil, fmt.Errorf("%w: it was changed or cut short", ErrMemory)
	}
	seen := map[series]Mark{}
	for line := range strings.Lines(text[len(memoryHeader):end]) {
		m, err := parseMark(strings.TrimSuffix(line, "\n"))
		if err != nil {
			return nil, err
		}
		seen[m.series()] = m
	}
	if again, err := marshalMemory(seen); err != nil || string(again) != text {
		return nil, fmt.Errorf("%w: it is not in order", ErrMemory)
	}
	return seen, nil
}

func parseMark(line string) (Mark, error) {
	bad := fmt.Errorf("%w: line %.60q", ErrMemory, line)
	f := strings.SplitN(line, " ", 5)
	if len(f) != 5 {
		return Mark{}, bad
	}
	m := Mark{Kind: f[0]}
	var errs [4]error
	m.Sequence, errs[0] = strconv.ParseUint(f[1], 10, 64)
	if f[2] != "-" {
		m.Signed, errs[1] = time.Parse(time.RFC3339, f[2])
	}
	var n int
	if len(f[3]) == 2*len(m.Digest) {
		n, errs[2] = hex.Decode(m.Digest[:], []byte(f[3]))
	}
	m.Issuer, errs[3] = strconv.Unquote(f[4])
	if errors.Join(errs[:]...) != nil || n != len(m.Digest) || m.valid() != nil {
		return Mark{}, bad
	}
	return m, nil
}

// readMemory reads the file if it is a regular one of a size that can be.
func readMemory(path string) ([]byte, error) {
	b, err := ReadFile(os.DirFS(filepath.Dir(path)), filepath.Base(path), maxMemory)
	if errors.Is(err, ErrFile) {
		return nil, fmt.Errorf("%w: %w", ErrMemory, err)
	}
	return b, err
}

// patience is how long to wait for another program that changes the memory or a trust folder.
const patience = 2 * time.Minute
