// Package profile says what a kind of document is, as data: how it is opened, which files
// it has, and what its country adds to ICAO Doc 9303.
//
// Profiles are TOML files embedded here, one a kind of document. What a country needs
// beyond data is code in a package below this one, named by National.
package profile

import (
	"bytes"
	"embed"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"github.com/pelletier/go-toml/v2"

	"github.com/tamthe/tamthe/card/mrz"
)

// ErrUnknown says that there is no profile of that name.
var ErrUnknown = errors.New("no such profile")

// Generic is the name of the profile of any ICAO eMRTD.
const Generic = "icao"

// Profile is one kind of document.
type Profile struct {
	Name      string
	Title     string
	Country   string   // issuing state as in the MRZ; "" for any
	Documents []string // document codes as in the MRZ; none for any
	AID       []byte   // of the application

	Access []Access // how it is opened, in this order

	// PromisesPACE says that every genuine chip of this kind offers PACE: one that was
	// opened by BAC all the same is taken for downgraded unless it is of an exempt form.
	PromisesPACE bool

	Required []int // data groups that every document has
	Expected []int // data groups that documents usually have

	PhotoFrom int      // age in years from which a portrait is required; -1: always
	NoExpiry  mrz.Date // what the MRZ says on a document without expiry; "" if there are none
	National  string   // code that reads what the country adds; "" for none
}

// Access is one way to open a chip.
type Access struct {
	Protocol string // PACE or BAC
	Password string // CAN or MRZ
}

// file is a profile as it is written.
type file struct {
	Name      string   `toml:"name"`
	Title     string   `toml:"title"`
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
}

//go:embed *.toml
var embedded embed.FS

// Parse reads one profile. Unknown keys are errors.
func Parse(b []byte) (*Profile, error) {
	var f file
	if err := toml.NewDecoder(bytes.NewReader(b)).DisallowUnknownFields().Decode(&f); err != nil {
		return nil, fmt.Errorf("read profile: %w", err)
	}
	aid, err := hex.DecodeString(f.AID)
	if err != nil || len(aid) < 5 || len(aid) > 16 || f.Name == "" {
		return nil, fmt.Errorf("profile %q: name and an AID of 5 to 16 octets are needed", f.Name)
	}
	p := &Profile{
		Name: f.Name, Title: f.Title, Country: f.Country, Documents: f.Documents, AID: aid, PromisesPACE: f.Promises,
		Required: f.Required, Expected: f.Expected, PhotoFrom: f.PhotoFrom, NoExpiry: mrz.Date(f.NoExpiry), National: f.National,
	}
	for _, a := range f.Access {
		protocol, password, _ := strings.Cut(a, "-")
		if protocol == "BAC" && password == "" {
			password = "MRZ"
		}
		if !slices.Contains([]string{"PACE-CAN", "PACE-MRZ", "BAC-MRZ"}, protocol+"-"+password) {
			return nil, fmt.Errorf("profile %q: access %q", f.Name, a)
		}
		p.Access = append(p.Access, Access{protocol, password})
	}
	for _, n := range append(slices.Clone(p.Required), p.Expected...) {
		if n < 1 || n > 16 {
			return nil, fmt.Errorf("profile %q: data group %d", f.Name, n)
		}
	}
	if p.NoExpiry != "" && !p.NoExpiry.Valid() {
		return nil, fmt.Errorf("profile %q: no_expiry is no date", f.Name)
	}
	return p, nil
}

// ByName returns an embedded profile, or ErrUnknown.
func ByName(name string) (*Profile, error) {
	b, err := fs.ReadFile(embedded, name+".toml")
	if err != nil {
		return nil, fmt.Errorf("%q: %w", name, ErrUnknown)
	}
	return Parse(b)
}

// Names lists the embedded profiles, the generic one last.
func Names() []string {
	entries, _ := fs.ReadDir(embedded, ".") // an embedded folder can be read
	var names []string
	for _, e := range entries {
		if n := strings.TrimSuffix(e.Name(), ".toml"); n != Generic {
			names = append(names, n)
		}
	}
	return append(names, Generic)
}

// For returns the profile of a document by its MRZ: that of the issuing state and
// document code, else the generic one. It is never nil.
func For(m *mrz.MRZ) *Profile {
	for _, name := range Names() {
		p, err := ByName(name)
		if err == nil && (name == Generic || p.fits(m)) {
			return p
		}
	}
	return &Profile{Name: Generic, PhotoFrom: -1}
}

func (p *Profile) fits(m *mrz.MRZ) bool {
	return m != nil && p.Country == m.Issuer && (len(p.Documents) == 0 || slices.Contains(p.Documents, m.Document))
}
