package main

import (
	"strings"

	"github.com/spf13/cobra"

	"github.com/tamthe/tamthe/card/picture"
	"github.com/tamthe/tamthe/verify"
)

// bearerFlags are what is known of the print and of who carries the card.
func (o *verifyOptions) bearerFlags(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVar(&o.qrFile, "qr-file", "", "`FILE` with the text of the printed QR code, to compare with the chip; - for standard input")
	f.StringVar(&o.holder, "holder", "", "what you `SEE` when you compare the bearer with the portrait: match, mismatch or unsure")
	f.StringVar(&o.faceMatch, "face-match", "", "`PROGRAM` that compares the portrait with --live once it is proven: JSON in, a score out")
	f.StringVar(&o.live, "live", "", "`FILE` with a picture of the bearer taken now, JPEG or PNG, for --face-match")
}

var holders = map[string]verify.Holder{
	"": verify.HolderNotCompared, "match": verify.HolderMatch, "mismatch": verify.HolderMismatch, "unsure": verify.HolderUnsure,
}

// bearer reads what bearerFlags name.
func (o verifyOptions) bearer(p *program, opts *verify.Options) error {
	holder, ok := holders[o.holder]
	if !ok {
		return usagef("--holder is match, mismatch or unsure, not %q", o.holder)
	}
	opts.Holder = holder
	if o.qrFile != "" {
		b, err := p.input(o.qrFile, maxSecretFile)
		if err != nil {
			return err
		}
		if opts.QR = strings.TrimSpace(string(b)); opts.QR == "" {
			return usagef("%s holds no text of a QR code", o.qrFile)
		}
	}
	if (o.faceMatch == "") != (o.live == "") {
		return usagef("--face-match and --live go together")
	}
	if o.faceMatch == "" {
		return nil
	}
	live, err := p.input(o.live, picture.MaxOctets)
	if err != nil {
		return err
	}
	face, err := newFaceProgram(o.faceMatch, live)
	if err != nil {
		return err
	}
	opts.Face = face
	return nil
}
