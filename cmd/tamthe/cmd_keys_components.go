package main

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"github.com/tamthe/tamthe/issuance/keystore"
)

// transportKEK is the secret that wraps suppliers' transport keys.
const transportKEK = "transport-kek"

type componentOptions struct {
	name, kcv string
	files     []string
	parts     int
}

func newKeysComponents(p *program) *cobra.Command {
	var o componentOptions
	cmd := &cobra.Command{
		Use:   "components NAME",
		Short: "Make a supplier's transport key of its components",
		Long: `Makes the key by which a supplier's blanks open of its components, each of which another
custodian brings, and keeps it encrypted under a key of this home. A component is
hexadecimal digits, a slash and its check value of six digits; each is asked for without
echo, or read from a file. The check value of the whole key, which the supplier announces
apart, must fit. Two custodians sign that it was done.
`,
		Example: "  tamthe keys components transport-b7 --kcv 504A77 --parts 3 --operator an --second binh",
		Args:    exactly(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			o.name = args[0]
			return runKeysComponents(cmd.Context(), p, o)
		},
	}
	p.pairFlags(cmd)
	cmd.Flags().StringVar(&o.kcv, "kcv", "", "check value of the key, six hexadecimal `DIGITS`")
	cmd.Flags().IntVar(&o.parts, "parts", 2, "how many components are asked for")
	cmd.Flags().StringSliceVar(&o.files, "component-file", nil, "`FILE` with a component, - for standard input; once for each")
	return cmd
}

func runKeysComponents(ctx context.Context, p *program, o componentOptions) error {
	if len(o.files) > 0 {
		o.parts = len(o.files)
	}
	if o.parts < 2 || o.parts > 9 {
		return usagef("a key is made of 2 to 9 components")
	}
	if err := keystore.CheckName(o.name); err != nil {
		return err
	}
	want, err := keystore.ParseKCV(o.kcv)
	if err != nil {
		return usageError{err}
	}
	office, err := p.openOffice(ctx, certifying)
	if err != nil {
		return err
	}
	defer office.done()
	key, err := p.combine(ctx, o, want)
	if err != nil {
		return err
	}
	defer key.Destroy()
	folder, kek, err := p.transportStore(ctx, true)
	if err != nil {
		return err
	}
	defer forget(kek)
	if err := keystore.StoreWrapped(ctx, folder, o.name, want, key, kek); err != nil {
		return err
	}
	if err := office.ImportKey(ctx, o.name, "transport", want, o.parts); err != nil {
		return errors.Join(err, os.Remove(p.home.path(keysDir, o.name))) // nobody knows this key
	}
	return p.result(struct {
		Schema     string `json:"schema"`
		Key        string `json:"key"`
		KCV        string `json:"kcv"`
		Components int    `json:"components"`
	}{"tamthe/keys-components/1", o.name, want.String(), o.parts}, "key "+o.name, "")
}

// combine reads the components, one person after the other.
func (p *program) combine(ctx context.Context, o componentOptions, want keystore.KCV) (*keystore.Secret, error) {
	var parts []*keystore.Component
	defer func() {
		for _, c := range parts {
			c.Destroy()
		}
	}()
	for i := range o.parts {
		var text string
		var err error
		if len(o.files) > 0 {
			text, err = p.secretFile(o.files[i])
		} else {
			text, err = p.ask(ctx, fmt.Sprintf(p.text(wordComponent), i+1, o.parts))
		}
		if errors.Is(err, errNoPrompt) {
			err = hint(err, "give each with --component-file FILE (- is standard input)")
		}
		if err != nil {
			return nil, err
		}
		c, err := keystore.ParseComponent([]byte(text))
		if err != nil {
			return nil, fmt.Errorf("component %d: %w", i+1, err)
		}
		parts = append(parts, c)
	}
	return keystore.Combine(want, parts...)
}

// transportStore is where transport keys lie and what they are wrapped with; the first one
// makes that.
func (p *program) transportStore(ctx context.Context, make bool) (keystore.Folder, keystore.Wrapper, error) {
	folder := keystore.Folder{Dir: p.home.path(keysDir)}
	r, err := p.keyring(ctx)
	if err != nil {
		return folder, nil, err
	}
	kek, err := r.Wrapper(ctx, transportKEK)
	if errors.Is(err, keystore.ErrMissing) && make {
		if err := r.GenerateSecret(ctx, transportKEK, keystore.UseTransport); err != nil {
			return folder, nil, err
		}
		kek, err = r.Wrapper(ctx, transportKEK)
	}
	return folder, kek, err
}

// transportKey opens the transport key of that name; the caller destroys it.
func (p *program) transportKey(ctx context.Context, name string) (*keystore.Secret, error) {
	folder, kek, err := p.transportStore(ctx, false)
	if err != nil {
		return nil, err
	}
	defer forget(kek)
	key, _, err := keystore.OpenWrapped(ctx, folder, name, kek)
	return key, err
}
