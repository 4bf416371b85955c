// Package profile says what a kind of document is, as data: how it is opened, which files
// it has, and what its country adds to ICAO Doc 9303.
//
// Profiles are TOML files embedded here, one a kind of document. What a country needs
// beyond data is code in a package below this one, named by National.
package profile

import (
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"sync"

	"github.com/tamthe/tamthe/card/mrz"
)

// ErrUnknown says that there is no profile of that name.
var ErrUnknown = errors.New("no such profile")

// Generic is the name of the profile of any ICAO eMRTD.
const Generic = "icao"

// Profile is one kind of document. Those that this package returns are shared by all
// callers, who must not change them.
type Profile struct {
	Name      string
	Country   string   // issuing state as in the MRZ; "" for any
	Documents []string // document codes as in the MRZ; none for any
	AID       []byte   // of the application, 5 to 16 octets

	Access []Access // how such a chip can be opened, the preferred way first

	// PromisesPACE says that every genuine chip of this kind offers PACE: one that was
	// opened by BAC all the same is taken for downgraded.
	PromisesPACE bool

	// Quirks are departures from the standards that cards of this kind are known for.
	Quirks []Quirk

	Required []int // data groups that every document has
	Expected []int // data groups that documents usually have

	PhotoFrom int      // age in years from which a portrait is required; -1: always
	NoExpiry  mrz.Date // what the MRZ says on a document without expiry; "" if there are none
	National  string   // code that reads what the country adds; "" for none

	nameOnly bool // For never finds it: its MRZ is that of another
}

// Access is one way to open a chip.
type Access struct {
	Protocol string // PACE or BAC
	Password string // CAN, MRZ or PIN
}

//go:embed *.toml
var embedded embed.FS

// profiles are the embedded ones, the generic one last. They are decoded once; that each
// can be is tested.
var profiles = sync.OnceValue(func() []*Profile {
	var list []*Profile
	entries, _ := fs.ReadDir(embedded, ".") // an embedded folder can be read
	for _, e := range entries {
		b, _ := fs.ReadFile(embedded, e.Name())
		p, err := parse(b)
		if err != nil || p.Name+".toml" != e.Name() {
			panic(fmt.Sprintf("embedded profile %s: %v", e.Name(), err))
		}
		list = append(list, p)
	}
	i := slices.IndexFunc(list, func(p *Profile) bool { return p.Name == Generic })
	return append(slices.Delete(slices.Clone(list), i, i+1), list[i])
})

// ByName returns an embedded profile, or an error that wraps ErrUnknown.
func ByName(name string) (*Profile, error) {
	for _, p := range profiles() {
		if p.Name == name {
			return p, nil
		}
	}
	return nil, fmt.Errorf("%q: %w: there are %s", name, ErrUnknown, strings.Join(Names(), ", "))
}

// Names lists the embedded profiles, the generic one last.
func Names() []string {
	var names []string
	for _, p := range profiles() {
		names = append(names, p.Name)
	}
	return names
}

// For returns the profile of a document by its MRZ: that of the issuing state and document
// code, else the generic one, for a nil MRZ too. It is never nil. A profile whose MRZ is
// that of another is had by name only.
func For(m *mrz.MRZ) *Profile {
	list := profiles()
	for _, p := range list {
		if p.fits(m) {
			return p
		}
	}
	return list[len(list)-1]
}

// Has reports whether cards of this kind are known for the quirk.
func (p *Profile) Has(name QuirkName) bool {
	return slices.ContainsFunc(p.Quirks, func(q Quirk) bool { return q.Name == name })
}

func (p *Profile) fits(m *mrz.MRZ) bool {
	return m != nil && !p.nameOnly && p.Country == m.Issuer && (len(p.Documents) == 0 || slices.Contains(p.Documents, m.Document))
}
