package pki

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"math/big"
	"strings"
	"time"

	"github.com/pelletier/go-toml/v2"

	"github.com/tamthe/tamthe/card/cert"
)

// blockedFile is the file of a trust folder that names document signers whose documents
// the operator refuses. There is no public format for such a list: it is the operator's
// own word, like issuers.toml.
const blockedFile = "blocked.toml"

// blockedSigner is a document signer that the operator refuses, named by the fingerprint of
// its certificate or by state and serial number.
type blockedSigner struct {
	Fingerprint [32]byte // SHA-256 of the certificate; zero if it is named otherwise
	Country     string   // two letters, as in certificates
	Serial      *big.Int // nil if it is named by fingerprint
	Since       time.Time
	Reason      string // the operator's words; not escaped
}

const maxBlocked = 100_000

// parseBlocked reads a blocked.toml:
//
//	[[signer]]
//	sha256 = "57ab…"          # of the certificate, or:
//	country = "VN"
//	serial = "1f03"           # hexadecimal
//	since = 2026-07-01        # may be left out
//	reason = "key stolen"     # may be left out
//
// Unknown keys are errors.
func parseBlocked(b []byte) ([]blockedSigner, error) {
	var file struct {
		Signer []struct {
			SHA256  string         `toml:"sha256"`
			Country string         `toml:"country"`
			Serial  string         `toml:"serial"`
			Since   toml.LocalDate `toml:"since"`
			Reason  string         `toml:"reason"`
		} `toml:"signer"`
	}
	d := toml.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	if err := d.Decode(&file); err != nil {
		return nil, fmt.Errorf("read %s: %w", blockedFile, err)
	}
	if len(file.Signer) > maxBlocked {
		return nil, fmt.Errorf("read %s: more than %d signers", blockedFile, maxBlocked)
	}
	var list []blockedSigner
	for n, f := range file.Signer {
		r := blockedSigner{Country: strings.ToUpper(f.Country), Reason: f.Reason}
		switch named := f.Country != "" || f.Serial != ""; {
		case f.SHA256 != "" && !named:
			p, err := hex.DecodeString(strings.ReplaceAll(f.SHA256, ":", ""))
			if err != nil || len(p) != len(r.Fingerprint) {
				return nil, fmt.Errorf("read %s: signer %d: %q is no SHA-256 fingerprint", blockedFile, n+1, f.SHA256)
			}
			copy(r.Fingerprint[:], p)
		case f.SHA256 == "" && len(f.Country) == 2:
			var ok bool
			if r.Serial, ok = new(big.Int).SetString(strings.ReplaceAll(f.Serial, ":", ""), 16); !ok || len(f.Serial) > 128 {
				return nil, fmt.Errorf("read %s: signer %d: %q is no serial number", blockedFile, n+1, f.Serial)
			}
		default:
			return nil, fmt.Errorf("read %s: signer %d: name it by sha256, or by country and serial", blockedFile, n+1)
		}
		if f.Since != (toml.LocalDate{}) {
			r.Since = f.Since.AsTime(time.UTC)
		}
		list = append(list, r)
	}
	return list, nil
}

// names says whether the certificate is the one that is meant.
func (b blockedSigner) names(c *cert.Certificate) bool {
	if b.Serial != nil {
		return b.Serial.Cmp(c.Serial) == 0 && sameCountry(b.Country, c.Issuer.Country())
	}
	return b.Fingerprint == c.Fingerprint()
}

// String says since when and why.
func (b blockedSigner) String() string {
	s := "blocked by the operator"
	if !b.Since.IsZero() {
		s += " since " + b.Since.Format(time.DateOnly)
	}
	if b.Reason != "" {
		s += ": " + b.Reason
	}
	return s
}
