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

	"github.com/pelletier/go-toml/v2"
)

// config is config.toml of the home. An unknown key is an error: a slip of the pen
// must not silently leave a setting at its default.
type config struct {
	Lang    string `toml:"lang,omitempty"`
	Reader  string `toml:"reader,omitempty"`
	Policy  string `toml:"policy,omitempty"`
	Profile string `toml:"profile,omitempty"`
	Log     struct {
		Origin string `toml:"origin,omitempty"`
	} `toml:"log,omitempty"`
}

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

// ledger is TAMTHE_LEDGER's path, else ledger.db of the home.
func (h home) ledger() (string, error) {
	v := os.Getenv("TAMTHE_LEDGER")
	if v == "" {
		return h.path("ledger.db"), nil
	}
	path, ok := strings.CutPrefix(v, "sqlite:")
	if !ok {
		return "", usagef("TAMTHE_LEDGER must be sqlite:PATH in this version")
	}
	return path, nil
}

// config reads config.toml; a home without one has the defaults.
func (h home) config() (config, error) {
	var c config
	b, err := os.ReadFile(h.path("config.toml"))
	if errors.Is(err, fs.ErrNotExist) {
		return c, nil
	}
	if err != nil {
		return c, err
	}
	d := toml.NewDecoder(bytes.NewReader(b)).DisallowUnknownFields()
	if err := d.Decode(&c); err != nil {
		return c, fmt.Errorf("read %s: %w", h.path("config.toml"), err)
	}
	return c, nil
}
