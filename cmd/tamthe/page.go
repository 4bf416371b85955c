package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/tamthe/tamthe/card/picture/openjpeg"
	"github.com/tamthe/tamthe/verify"
	"github.com/tamthe/tamthe/verify/durable"
	"github.com/tamthe/tamthe/verify/sheet"
)

// pageFlag lets a verb that judges one document write its report as a page, too.
func (o *verifyOptions) pageFlag(cmd *cobra.Command) {
	cmd.Flags().StringVar(&o.html, "html", "", "also write the report as a page to print, with the portrait, into this new `FILE`")
}

// pageFree fails if there is something where the page would be written: it is asked before
// a card is read.
func (o verifyOptions) pageFree() error {
	if o.html == "" {
		return nil
	}
	if _, err := os.Lstat(o.html); err == nil {
		return fmt.Errorf("%s: %w", o.html, fs.ErrExist)
	} else if !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if _, err := os.Stat(filepath.Dir(o.html)); err != nil {
		return err
	}
	return nil
}

// page writes the page that was asked for, readable by its owner only, whole or not at all.
func (o verifyOptions) page(ctx context.Context, p *program, r *verify.Report) error {
	if o.html == "" {
		return nil
	}
	var b bytes.Buffer
	if err := sheet.Write(ctx, &b, r, verify.Lang(p.lang), sheet.Options{JPEG2000: openjpeg.Decode}); err != nil {
		return err
	}
	if err := o.pageFree(); err != nil {
		return err
	}
	return durable.Replace(o.html, b.Bytes(), 0o600)
}
