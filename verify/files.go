package verify

import (
	"fmt"
	"io/fs"

	"github.com/tamthe/tamthe/card/lds"
	"github.com/tamthe/tamthe/verify/pki"
)

// Files are files of a card as they were read, to the octet.
type Files map[lds.File][]byte

// maxFolderFile is the largest file of an EF folder that is read, in bytes: what a
// READ BINARY with a four-octet length could bring is never a card's.
const maxFolderFile = 1 << 20

// ReadFiles reads an EF folder: EF.SOD.bin, DG1.bin and so on, matched without case.
// Other files are passed over. A folder in which one file comes twice in different
// spelling is an error, and so is a file that is larger than any card's or no regular one.
func ReadFiles(fsys fs.FS) (Files, error) {
	entries, err := fs.ReadDir(fsys, ".")
	if err != nil {
		return nil, fmt.Errorf("read EF folder: %w", err)
	}
	files := Files{}
	for _, e := range entries {
		f, ok := lds.ByName(e.Name())
		if !ok || e.IsDir() {
			continue
		}
		if _, twice := files[f]; twice {
			return nil, fmt.Errorf("read EF folder: %s is there twice", f.Name())
		}
		if files[f], err = pki.ReadFile(fsys, e.Name(), maxFolderFile); err != nil {
			return nil, fmt.Errorf("read EF folder: %w", err)
		}
	}
	return files, nil
}
