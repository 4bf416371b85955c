package main

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"github.com/pelletier/go-toml/v2"

	"github.com/tamthe/tamthe/verify"
)

// The parts of a home.
const (
	configFile     = "config.toml"
	ledgerFile     = "ledger.db"
	subjectsFile   = "subjects.db"
	keysDir        = "keys"
	pkiDir         = "pki"
	trustDir       = "trust"
	checkpointsDir = "checkpoints"
	inspectionsDir = "inspections"
	seenFile       = "seen"
	consoleFile    = "console.db" // passkeys
)

// The files of keys/ that are not the authority's.
const (
	logKeyName     = "log"
	oldVaultKey    = "vault" // of a home that had one key for all personal data
	vaultPrefix    = "vault-"
	vaultKeyName   = vaultPrefix + "001" // wraps the keys of subjects.db until `vault rotate`
	masterKeyName  = "card-master"
	operatorPrefix = "operator-"
)

// config is config.toml of the home. An unknown key is an error: a slip of the pen
// must not silently leave a setting at its default.
type config struct {
	Lang    string     `toml:"lang,omitempty"`
	Reader  string     `toml:"reader,omitempty"`
	Policy  string     `toml:"policy,omitempty"`
	Profile string     `toml:"profile,omitempty"`
	Keys    keysConfig `toml:"keys,omitempty"`
	Log     struct {
		Origin string `toml:"origin,omitempty"`
		Second string `toml:"second,omitempty"` // folder on another medium that gets the newest checkpoint too
		Hours  int    `toml:"hours,omitempty"`  // how old the witnesses' word may be
		Quorum int    `toml:"quorum,omitempty"` // how many witnesses must have cosigned; all if 0
	} `toml:"log,omitempty"`
	Signer   signerConfig   `toml:"signer,omitempty"`
	Register registerConfig `toml:"register,omitempty"`
	ABIS     abisConfig     `toml:"abis,omitempty"`
	Witness  []struct {
		Key string `toml:"key"`
		URL string `toml:"url"`
	} `toml:"witness,omitempty"`
	Vault struct {
		KeepBiometrics bool   `toml:"keep_biometrics,omitempty"` // beyond delivery, or the application's other end
		Keys           string `toml:"keys,omitempty"`            // postgres:DSN of the keys; empty: subjects.db of the home
	} `toml:"vault,omitempty"`
	Slip   slipConfig `toml:"slip,omitempty"`
	Office struct {
		Name     string   `toml:"name,omitempty"`     // a word for where it is, in its acts and statistics
		Holidays []string `toml:"holidays,omitempty"` // days as 2026-09-02 on which it does not work
	} `toml:"office,omitempty"`
	Desk struct {
		Name   string `toml:"name,omitempty"`   // by which the office knows this desk
		Office string `toml:"office,omitempty"` // public key of the office's log
		Hours  int    `toml:"hours,omitempty"`  // how old the office's last receipt may be; 0: any age
	} `toml:"desk,omitempty"`
}

// defaultPlace is where the desk of a home stands whose config.toml names none ([office] name).
const defaultPlace = "desk"

// home is the folder that a desk or checkpoint lives in.
type home string

// defaultHome is TAMTHE_HOME, else where the operating system keeps such data.
func defaultHome() (home, error) {
	if h := os.Getenv("TAMTHE_HOME"); h != "" {
		return home(h), nil
	}
	switch runtime.GOOS {
	case "windows":
		if d := os.Getenv("LOCALAPPDATA"); d != "" {
			return home(filepath.Join(d, "tamthe")), nil
		}
	case "darwin":
		if d, err := os.UserHomeDir(); err == nil {
			return home(filepath.Join(d, "Library", "Application Support", "tamthe")), nil
		}
	default:
		if d := os.Getenv("XDG_DATA_HOME"); d != "" {
			return home(filepath.Join(d, "tamthe")), nil
		}
		if d, err := os.UserHomeDir(); err == nil {
			return home(filepath.Join(d, ".local", "share", "tamthe")), nil
		}
	}
	return "", errors.New("no home folder is known; set TAMTHE_HOME")
}

func (h home) path(parts ...string) string {
	return filepath.Join(append([]string{string(h)}, parts...)...)
}

// config reads config.toml; a home without one has the defaults.
func (h home) config() (config, error) {
	var c config
	path := h.path(configFile)
	b, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return c, nil
	}
	if err != nil {
		return c, err
	}
	if err := toml.NewDecoder(bytes.NewReader(b)).DisallowUnknownFields().Decode(&c); err != nil {
		return c, hint(fmt.Errorf("%s%w", path, tomlError(err)), "the keys are lang, reader, policy, profile; under [log] origin, second, hours and quorum; under [[witness]] key and url; under [vault] keep_biometrics and keys; under [office] name and holidays; under [desk] name, office and hours; under [keys] uri, sealed, passphrase_file and exposed; under [signer] url, ca, cert, key and imported; under [slip] every, office, purpose, basis, complain and folder; under [register] kind, url, account, secret_file, ca, service, integration and phone; under [abis] url, gallery, token_file, ca, callback and hours")
	}
	for _, day := range c.Office.Holidays {
		if _, err := time.Parse(time.DateOnly, day); err != nil {
			return c, fmt.Errorf("%s: [office] holidays: %q is no day such as 2026-09-02", path, day)
		}
	}
	if c.Office.Name != "" && checkWord("name", c.Office.Name) != nil {
		return c, fmt.Errorf("%s: [office] name: one word of small letters, digits and hyphens", path)
	}
	if err := c.Slip.check(); err != nil {
		return c, fmt.Errorf("%s: [slip] %w", path, err)
	}
	if c.Policy != "" {
		if _, err := verify.PolicyByName(c.Policy); err != nil {
			return c, fmt.Errorf("%s: policy: %w", path, err)
		}
	}
	return c, nil
}

// tomlError says where in the file what is wrong.
func tomlError(err error) error {
	if unknown, ok := errors.AsType[*toml.StrictMissingError](err); ok && len(unknown.Errors) > 0 {
		e := unknown.Errors[0]
		line, _ := e.Position()
		return fmt.Errorf(":%d: unknown key %q", line, strings.Join(e.Key(), "."))
	}
	if e, ok := errors.AsType[*toml.DecodeError](err); ok {
		line, _ := e.Position()
		return fmt.Errorf(":%d: %w", line, err)
	}
	return fmt.Errorf(": %w", err)
}
