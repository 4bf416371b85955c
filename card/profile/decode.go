package profile

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"slices"

	"github.com/pelletier/go-toml/v2"

	"github.com/tamthe/tamthe/card/mrz"
)

// file is a profile as it is written.
type file struct {
	Name      string   `toml:"name"`
	Country   string   `toml:"country"`
	Documents []string `toml:"documents"`
	AID       string   `toml:"aid"`
	Access    []string `toml:"access"`
	Promises  bool     `toml:"promises_pace"`
	Required  []int    `toml:"required"`
	Expected  []int    `toml:"expected"`
	PhotoFrom int      `toml:"photo_from"`
	NoExpiry  string   `toml:"no_expiry"`
	National  string   `toml:"national"`
	NameOnly  bool     `toml:"by_name_only"`
	Quirks    []Quirk  `toml:"quirk"`
}

// ways are the ways to open a chip, as a profile names them.
var ways = map[string]Access{
	"PACE-CAN": {"PACE", "CAN"},
	"PACE-MRZ": {"PACE", "MRZ"},
	"PACE-PIN": {"PACE", "PIN"},
	"BAC":      {"BAC", "MRZ"},
}

// parse reads one profile. Unknown keys are errors.
func parse(b []byte) (*Profile, error) {
	var f file
	if err := toml.NewDecoder(bytes.NewReader(b)).DisallowUnknownFields().Decode(&f); err != nil {
		return nil, fmt.Errorf("read profile: %w", err)
	}
	p := &Profile{
		Name: f.Name, Country: f.Country, Documents: f.Documents, PromisesPACE: f.Promises,
		Required: f.Required, Expected: f.Expected, PhotoFrom: f.PhotoFrom, NoExpiry: mrz.Date(f.NoExpiry), National: f.National, Quirks: f.Quirks, nameOnly: f.NameOnly,
	}
	var err error
	if p.AID, err = hex.DecodeString(f.AID); err != nil || len(p.AID) < 5 || len(p.AID) > 16 || f.Name == "" {
		return nil, fmt.Errorf("profile %q: name and an AID of 5 to 16 octets are needed", f.Name)
	}
	for _, name := range f.Access {
		way, ok := ways[name]
		if !ok {
			return nil, fmt.Errorf("profile %q: access %q", f.Name, name)
		}
		p.Access = append(p.Access, way)
	}
	for _, q := range p.Quirks {
		if err := q.check(); err != nil {
			return nil, fmt.Errorf("profile %q: %w", f.Name, err)
		}
	}
	for _, n := range slices.Concat(p.Required, p.Expected) {
		if n < 1 || n > 16 {
			return nil, fmt.Errorf("profile %q: data group %d", f.Name, n)
		}
	}
	if len(p.Access) == 0 {
		return nil, fmt.Errorf("profile %q: a way to open the chip is needed", f.Name)
	}
	if p.NoExpiry != "" && !p.NoExpiry.Known() {
		return nil, fmt.Errorf("profile %q: no_expiry is no date", f.Name)
	}
	return p, nil
}
