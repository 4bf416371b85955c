package pki

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/pelletier/go-toml/v2"
)

// IndexFile is the file of a trust folder that says what was imported into it. It is
// replaced as a whole, after all that it names is there: whoever reads the folder sees
// the import or does not.
const IndexFile = "imports.toml"

// ErrEdited says that a trust folder's index, or a file that it names, is not as the
// import left it. Nothing of such a folder is trusted.
var ErrEdited = errors.New("changed since it was imported")

// The bounds of an index.
const (
	maxIndex   = 4 << 20
	maxImports = 4096
	maxWord    = 512
)

// ImportKind says what an imported file is good for.
type ImportKind string

// The kinds of imports.
const (
	ImportAnchors    ImportKind = "anchors"    // self-signed certificates in it are anchors
	ImportMaterial   ImportKind = "material"   // certificates, none an anchor, and revocation lists
	ImportDeviations ImportKind = "deviations" // a deviation list
	ImportDefects    ImportKind = "defects"    // a defect list
	ImportBlocked    ImportKind = "blocked"    // document signers that the operator refuses
)

var importKinds = []ImportKind{ImportAnchors, ImportMaterial, ImportDeviations, ImportDefects, ImportBlocked}

// Import is one file that was verified and taken into a trust folder, with where it came
// from. It counts as long as the file has the digest.
type Import struct {
	File   string
	SHA256 [32]byte
	Kind   ImportKind

	Countries []string // of the certificates that are taken, two letters; empty is all
	Documents []string // document codes that its anchors vouch for, as in Issuer; empty is all

	List     string    // what the list calls itself, "" for what the operator pinned
	Country  string    // of the list's signer
	Signer   [32]byte  // SHA-256 of the signer's certificate; zero without
	CSCA     [32]byte  // SHA-256 of the anchor that vouched for the signer; zero without
	Sequence uint64    // of the list, 0 without
	Signed   time.Time // when the list was signed; zero without
	Imported time.Time // when, to the second
	Operator string    // who
}

// Index is what was imported into a trust folder. Generation rises with every change.
type Index struct {
	Generation uint64
	Imports    []Import
}

const indexHeader = "# What was imported into this folder. Not to be edited: import again.\n"

// Format writes the index as ParseIndex reads it.
func (x Index) Format() []byte {
	var b strings.Builder
	fmt.Fprintf(&b, "%sgeneration = %d\n", indexHeader, x.Generation)
	for _, i := range x.Imports {
		b.WriteString("\n[[import]]\n")
		text := func(key, value string) {
			if value != "" {
				fmt.Fprintf(&b, "%s = %s\n", key, strconv.QuoteToASCII(value))
			}
		}
		texts := func(key string, values []string) {
			if len(values) == 0 {
				return
			}
			quoted := make([]string, len(values))
			for n, v := range values {
				quoted[n] = strconv.QuoteToASCII(v)
			}
			fmt.Fprintf(&b, "%s = [%s]\n", key, strings.Join(quoted, ", "))
		}
		digest := func(key string, d [32]byte) {
			if d != [32]byte{} {
				text(key, hex.EncodeToString(d[:]))
			}
		}
		moment := func(key string, t time.Time) {
			if !t.IsZero() {
				text(key, t.UTC().Format(time.RFC3339))
			}
		}
		text("file", i.File)
		digest("sha256", i.SHA256)
		text("kind", string(i.Kind))
		texts("countries", i.Countries)
		texts("documents", i.Documents)
		text("list", i.List)
		text("country", i.Country)
		digest("signer", i.Signer)
		digest("csca", i.CSCA)
		if i.Sequence != 0 {
			fmt.Fprintf(&b, "sequence = \"%d\"\n", i.Sequence)
		}
		moment("signed", i.Signed)
		moment("imported", i.Imported)
		text("operator", i.Operator)
	}
	sum := sha256.Sum256([]byte(b.String()))
	return fmt.Appendf(nil, "%s\n%s%x\n", b.String(), indexSum, sum)
}

// indexSum begins the last line of an index, which holds the digest of all before it.
const indexSum = "# sha256 "

// ParseIndex reads an index that Format wrote, and nothing else: an octet more, less or
// changed is ErrEdited.
func ParseIndex(b []byte) (Index, error) {
	edited := func(why string) (Index, error) { return Index{}, fmt.Errorf("%s: %w: %s", IndexFile, ErrEdited, why) }
	end := len(b) - len("\n"+indexSum) - 2*sha256.Size - 1
	if len(b) > maxIndex || end < 0 {
		return edited("its length")
	}
	if sum := sha256.Sum256(b[:end]); string(b[end:]) != fmt.Sprintf("\n%s%x\n", indexSum, sum) {
		return edited("its last line is not the digest of the others")
	}
	var file struct {
		Generation uint64
		Import     []importTOML
	}
	d := toml.NewDecoder(bytes.NewReader(b[:end]))
	d.DisallowUnknownFields()
	if err := d.Decode(&file); err != nil {
		return edited(err.Error())
	}
	x := Index{Generation: file.Generation}
	for n, f := range file.Import {
		i, err := f.read()
		if err != nil {
			return edited(fmt.Sprintf("import %d: %v", n+1, err))
		}
		x.Imports = append(x.Imports, i)
	}
	if err := x.valid(); err != nil {
		return edited(err.Error())
	}
	if !bytes.Equal(x.Format(), b) {
		return edited("it is not written as an import writes it")
	}
	return x, nil
}

type importTOML struct {
	File, SHA256, Kind, List, Country, Signer, CSCA, Sequence, Signed, Imported, Operator string
	Countries, Documents                                                                  []string
}

func (f importTOML) read() (Import, error) {
	i := Import{
		File: f.File, Kind: ImportKind(f.Kind), Countries: f.Countries, Documents: f.Documents,
		List: f.List, Country: f.Country, Operator: f.Operator,
	}
	for _, d := range []struct {
		text string
		into *[32]byte
	}{{f.SHA256, &i.SHA256}, {f.Signer, &i.Signer}, {f.CSCA, &i.CSCA}} {
		if d.text == "" {
			continue
		}
		b, err := hex.DecodeString(d.text)
		if err != nil || len(b) != 32 {
			return Import{}, fmt.Errorf("%.70q is no SHA-256", d.text)
		}
		*d.into = [32]byte(b)
	}
	for _, d := range []struct {
		text string
		into *time.Time
	}{{f.Signed, &i.Signed}, {f.Imported, &i.Imported}} {
		var err error
		if d.text != "" {
			if *d.into, err = time.Parse(time.RFC3339, d.text); err != nil {
				return Import{}, err
			}
		}
	}
	if f.Sequence != "" {
		var err error
		if i.Sequence, err = strconv.ParseUint(f.Sequence, 10, 64); err != nil {
			return Import{}, err
		}
	}
	return i, nil
}

// valid says whether a folder can have the index.
func (x Index) valid() error {
	if len(x.Imports) > maxImports {
		return fmt.Errorf("more than %d imports", maxImports)
	}
	seen := map[string]bool{IndexFile: true, IssuersFile: true}
	for _, i := range x.Imports {
		switch {
		case !fs.ValidPath(i.File), i.File == ".", seen[i.File]:
			return fmt.Errorf("file %.70q", i.File)
		case !slices.Contains(importKinds, i.Kind):
			return fmt.Errorf("kind %.70q", i.Kind)
		case i.SHA256 == [32]byte{}:
			return fmt.Errorf("%s has no digest", i.File)
		}
		seen[i.File] = true
		for _, s := range append(slices.Concat(i.Countries, i.Documents), i.File, i.List, i.Country, i.Operator) {
			if len(s) > maxWord || !utf8.ValidString(s) {
				return fmt.Errorf("%s: %.70q", i.File, s)
			}
		}
	}
	return nil
}

// takes says whether a certificate of that country is one of those imported.
func (i Import) takes(country string) bool {
	return len(i.Countries) == 0 || slices.ContainsFunc(i.Countries, func(c string) bool { return sameCountry(c, country) })
}
