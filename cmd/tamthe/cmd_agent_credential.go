package main

import (
	"context"
	"crypto"
	crand "crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/tamthe/tamthe/issuance/keystore"
	"github.com/tamthe/tamthe/verify"
	"github.com/tamthe/tamthe/verify/durable"
	"github.com/tamthe/tamthe/verify/eid"
	"github.com/tamthe/tamthe/verify/eid/credential"
)

func newAgentCredential(p *program) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "credential",
		Short: "Hold a credential that was derived from the card, and show it without the card",
		Long: `A credential (SD-JWT VC) tells fields of the card, each of which its holder discloses or not. It
is issued by a service of e-authentication (serve eid --credentials) to who logs in with a card
that is active, for a key that this program makes and keeps in the wallet; it ends with the card,
is suspended with it and revoked with it. It proves less than the card: whoever has the wallet
has the credential.
`,
		Example: "  tamthe agent credential obtain --server https://eid.example --fields name,age_over_18",
	}
	cmd.AddCommand(newCredentialObtain(p), newCredentialList(p), newCredentialShow(p), newCredentialJudge(p))
	return family(cmd)
}

// The files of a wallet: NAME and one of these.
const (
	walletDir     = "wallet"
	walletKeyExt  = ".key"
	walletTextExt = ".sd-jwt"
)

const maxCredential = 64 << 10

type obtainOptions struct {
	agentOptions
	wallet string
	fields []string
}

func walletFlag(cmd *cobra.Command, wallet *string) {
	cmd.Flags().StringVar(wallet, "wallet", "", "`FOLDER` of credentials and their keys (else wallet in the home)")
}

func newCredentialObtain(p *program) *cobra.Command {
	var o obtainOptions
	cmd := &cobra.Command{
		Use:   "obtain",
		Short: "Log in with the card, and take a credential with these fields",
		Long: `Logs in at the service with the card in the reader, as login does, and puts the credential and
its new key into the wallet. What it prints is the credential's name there. The day on which the
card ends is always among the fields.

Without a terminal to ask at, --agree names what may be told, as login has it:
` + credential.PartyID + `:PURPOSE:FIELDS, with the purpose "` + credential.Purpose + `".
`,
		Example: "  tamthe agent credential obtain --server https://eid.example --fields name,age_over_18",
		Args:    exactly(0),
		RunE:    func(cmd *cobra.Command, _ []string) error { return runCredentialObtain(cmd.Context(), p, o) },
	}
	o.openFlags(cmd)
	o.slip.flag(cmd)
	walletFlag(cmd, &o.wallet)
	f := cmd.Flags()
	f.StringVar(&o.server, "server", "", "`URL` of the service")
	f.StringSliceVar(&o.fields, "fields", nil, "the `FIELDS` that it is to tell, with commas")
	agreeFlag(f, &o.agree)
	f.StringVar(&o.ca, "ca", "", "`FILE` of certificates to believe the service by (else the system's)")
	return cmd
}

func runCredentialObtain(ctx context.Context, p *program, o obtainOptions) (err error) {
	if o.server == "" || len(o.fields) == 0 {
		return usagef("--server and --fields say which credential")
	}
	for _, f := range o.fields {
		if !slices.Contains(eid.Fields(), f) {
			return usagef("--fields: a card has %s", strings.Join(eid.Fields(), ", "))
		}
	}
	if err := o.slip.free(); err != nil {
		return err
	}
	agreed, err := parseConsents(o.agree)
	if err != nil {
		return err
	}
	client, err := o.client()
	if err != nil {
		return err
	}
	dir := first(o.wallet, p.home.path(walletDir))
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	name := strings.ToLower(crand.Text()[:8])
	path := filepath.Join(dir, name)
	key, err := keystore.Generate(path+walletKeyExt, "P-256")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = os.Remove(path + walletKeyExt) // of a credential that there is not
		}
	}()
	text, told, err := o.obtain(ctx, p, client, key, agreed)
	if err != nil {
		return err
	}
	if err := durable.Export(path+walletTextExt, []byte(text+"\n"), 0o600); err != nil {
		return err
	}
	return p.result(struct {
		Schema string   `json:"schema"`
		Name   string   `json:"name"`
		Told   []string `json:"told"`
	}{"tamthe/agent-credential-obtain/1", name, told}, name, name)
}

// obtain logs in with the card and fetches the credential.
func (o obtainOptions) obtain(ctx context.Context, p *program, client *eid.Client, key crypto.Signer, agreed []agreement) (string, []string, error) {
	issuer := &credential.Client{URL: client.URL, HTTP: client.HTTP, Now: p.now}
	begun, err := issuer.Begin(ctx, key, o.fields)
	if err != nil {
		return "", nil, err
	}
	login, err := client.Open(ctx, begun.Code)
	if err != nil {
		return "", nil, err
	}
	if err := p.consent(ctx, login.Request, agreed); err != nil {
		return "", nil, err
	}
	step, err := o.show(ctx, p, login)
	if err != nil {
		return "", nil, err
	}
	text, err := issuer.Fetch(ctx, key, begun, step.Finish)
	return text, append([]string{}, step.Told...), err
}

func newCredentialList(p *program) *cobra.Command {
	var wallet string
	cmd := &cobra.Command{
		Use:     "list",
		Short:   "List the credentials of the wallet",
		Long:    "Lists the credentials of the wallet: name, issuer, end, and the fields that each can disclose.\n",
		Example: "  tamthe agent credential list",
		Args:    exactly(0),
		RunE:    func(*cobra.Command, []string) error { return runCredentialList(p, wallet) },
	}
	walletFlag(cmd, &wallet)
	return cmd
}

func runCredentialList(p *program, wallet string) error {
	dir := first(wallet, p.home.path(walletDir))
	files, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	type credentialJSON struct {
		Name    string    `json:"name"`
		Issuer  string    `json:"issuer"`
		Type    string    `json:"type"`
		Expires time.Time `json:"expires"`
		Fields  []string  `json:"fields"`
	}
	list := []credentialJSON{}
	var b strings.Builder
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	for _, f := range files {
		name, ok := strings.CutSuffix(f.Name(), walletTextExt)
		if !ok {
			continue
		}
		h, err := p.held(filepath.Join(dir, f.Name()))
		if err != nil {
			return err
		}
		c := credentialJSON{name, h.Issuer(), h.Type(), h.Expires().UTC(), h.Fields()}
		list = append(list, c)
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", name, verify.Escape(c.Issuer), c.Expires.Format(time.DateOnly), verify.Escape(strings.Join(c.Fields, ",")))
	}
	if err := w.Flush(); err != nil {
		return err
	}
	return p.result(struct {
		Schema      string           `json:"schema"`
		Credentials []credentialJSON `json:"credentials"`
	}{"tamthe/agent-credential-list/1", list}, "", strings.TrimSuffix(b.String(), "\n"))
}

// held reads a credential of the wallet.
func (p *program) held(path string) (*credential.Held, error) {
	text, err := p.input(path, maxCredential)
	if err != nil {
		return nil, err
	}
	h, err := credential.ParseHeld(string(text))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return h, nil
}

type showOptions struct {
	wallet, audience, nonce string
	fields                  []string
}

func newCredentialShow(p *program) *cobra.Command {
	var o showOptions
	cmd := &cobra.Command{
		Use:   "show NAME",
		Short: "Disclose fields of a credential to somebody, and no others",
		Long: `Prints what shows the named fields, and no others, to the audience, with a proof of the wallet's
key for the nonce that the audience gave. Without --fields it shows that there is a credential.
`,
		Example: "  tamthe agent credential show k3x9q2ab --audience https://shop.example --nonce 8fQ \\\n    --fields age_over_18",
		Args:    exactly(1),
		RunE:    func(_ *cobra.Command, args []string) error { return runCredentialShow(p, o, args[0]) },
	}
	walletFlag(cmd, &o.wallet)
	f := cmd.Flags()
	f.StringVar(&o.audience, "audience", "", "to `WHOM` it is shown, as they name themselves")
	f.StringVar(&o.nonce, "nonce", "", "what they gave for this `TIME`")
	f.StringSliceVar(&o.fields, "fields", nil, "the `FIELDS` to disclose, with commas")
	return cmd
}

func runCredentialShow(p *program, o showOptions, name string) error {
	if o.audience == "" || o.nonce == "" {
		return usagef("--audience and --nonce say to whom, and for what time")
	}
	if name != filepath.Base(name) {
		return usagef("NAME is that of a credential in the wallet")
	}
	path := filepath.Join(first(o.wallet, p.home.path(walletDir)), name)
	h, err := p.held(path + walletTextExt)
	if err != nil {
		return err
	}
	key, err := keystore.Open("file:" + path + walletKeyExt)
	if err != nil {
		return err
	}
	text, err := h.Present(key, o.audience, o.nonce, o.fields, p.now())
	if err != nil {
		return err
	}
	return p.result(struct {
		Schema       string   `json:"schema"`
		Presentation string   `json:"presentation"`
		Fields       []string `json:"fields"`
	}{"tamthe/agent-credential-show/1", text, append([]string{}, o.fields...)}, "", text)
}

type judgeCredentialOptions struct {
	agentOptions
	audience, nonce string
	fields          []string
	specimen        bool
}

func newCredentialJudge(p *program) *cobra.Command {
	var o judgeCredentialOptions
	cmd := &cobra.Command{
		Use:   "judge FILE",
		Short: "Judge a credential that somebody showed",
		Long: `Judges what show printed, - for standard input: the issuer's signature, by the keys that --server
publishes, each disclosure, the proof of the holder's key for --audience and --nonce, and by the
issuer's status list whether the card is still in force. Whoever calls it uses each nonce once.
Exit status 3 says that it is refused, 4 that nobody can say how the card stands.
`,
		Example: "  tamthe agent credential judge shown.txt --server https://eid.example \\\n    --audience https://shop.example --nonce 8fQ",
		Args:    exactly(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return runCredentialJudge(cmd.Context(), p, o, args[0])
		},
	}
	f := cmd.Flags()
	f.StringVar(&o.server, "server", "", "`URL` of the issuer whose credentials are taken")
	f.StringVar(&o.audience, "audience", "", "`NAME` of who judges, as the holder was told")
	f.StringVar(&o.nonce, "nonce", "", "the `NONCE` that the holder was given")
	f.StringSliceVar(&o.fields, "fields", nil, "the `FIELDS` that must be disclosed, with commas")
	f.BoolVar(&o.specimen, "specimen", false, "accept credentials of SPECIMEN cards")
	f.StringVar(&o.ca, "ca", "", "`FILE` of certificates to believe the issuer by (else the system's)")
	return cmd
}

func runCredentialJudge(ctx context.Context, p *program, o judgeCredentialOptions, file string) error {
	if o.server == "" || o.audience == "" || o.nonce == "" {
		return usagef("--server, --audience and --nonce say by whom, for whom and for what time")
	}
	text, err := p.input(file, maxCredential)
	if err != nil {
		return err
	}
	if !unheard(o.server) {
		return usagef("--server is an https:// address")
	}
	web, err := o.web()
	if err != nil {
		return err
	}
	client := &credential.Client{URL: strings.TrimSuffix(o.server, "/"), HTTP: web, Now: p.now}
	keys, err := client.Keys(ctx)
	if err != nil {
		return err
	}
	v := credential.Verifier{Audience: o.audience, Issuers: map[string][]byte{client.URL: keys}, Specimen: o.specimen, Now: p.now, Status: client.Status}
	got, err := v.Verify(ctx, strings.TrimSpace(string(text)), o.nonce, o.fields...)
	return p.judgedCredential(got, err)
}

// judgedCredential prints what came of a credential.
func (p *program) judgedCredential(got *credential.Presented, err error) error {
	doc := struct {
		Schema  string          `json:"schema"`
		Verdict string          `json:"verdict"`
		Code    credential.Code `json:"code,omitempty"`
		Issuer  string          `json:"issuer,omitempty"`
		Type    string          `json:"type,omitempty"`
		Expires *time.Time      `json:"expires,omitempty"`
		Fields  map[string]any  `json:"fields"`
	}{Schema: "tamthe/agent-credential-judge/1", Verdict: verify.Accept.String(), Fields: map[string]any{}}
	exit := exitOK
	var lines []string
	if err != nil {
		doc.Code = credential.CodeOf(err)
		if doc.Code == "" {
			return err
		}
		doc.Verdict, exit = verify.Refuse.String(), exitRefused
		if doc.Code == credential.CodeStatus {
			doc.Verdict, exit = verify.Refer.String(), exitRefer
		}
		lines = append(lines, fmt.Sprintf(p.text(wordCredentialRefused), p.text(wordVerdicts[verdictOf(doc.Verdict)]), p.text(wordCredentialCodes[doc.Code]), doc.Code))
	} else {
		doc.Issuer, doc.Type, doc.Expires, doc.Fields = got.Issuer, got.Type, &got.Expires, got.Fields
		lines = append(lines, fmt.Sprintf(p.text(wordCredentialAccepted), p.text(wordVerdicts[verify.Accept]), verify.Escape(got.Issuer), got.Expires.Format(time.DateOnly)))
		for _, name := range slices.Sorted(maps.Keys(got.Fields)) {
			value, _ := json.Marshal(got.Fields[name]) // it was JSON
			lines = append(lines, fmt.Sprintf("  %s  %s", verify.Escape(name), verify.Escape(string(value))))
		}
	}
	if err := p.result(doc, "", strings.Join(lines, "\n")); err != nil || exit == exitOK {
		return err
	}
	return verdictError(exit)
}

func verdictOf(s string) verify.Verdict {
	if s == verify.Refer.String() {
		return verify.Refer
	}
	return verify.Refuse
}
