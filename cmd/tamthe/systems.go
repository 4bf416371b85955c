package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"

	"github.com/pelletier/go-toml/v2"

	"github.com/tamthe/tamthe/issuance/osia/cms"
)

// systemsTOML is the file of systems.
type systemsTOML struct {
	Authority string `toml:"authority"`
	Issuer    *struct {
		Name     string   `toml:"name"`
		Audience string   `toml:"audience"`
		Keys     []string `toml:"keys"`
	} `toml:"issuer"`
	System []systemTOML `toml:"system"`
}

// readSystems reads who may order, and in whose name the office issues.
func readSystems(path string) (c cms.Config, err error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return c, err
	}
	var file systemsTOML
	if err := toml.NewDecoder(bytes.NewReader(b)).DisallowUnknownFields().Decode(&file); err != nil {
		return c, fmt.Errorf("%s%w", path, tomlError(err))
	}
	c.Authority = file.Authority
	if c.Issuer, err = file.issuer(path); err != nil {
		return c, err
	}
	for i := range file.System {
		y, err := file.System[i].system(path, c.Issuer != nil)
		if err != nil {
			return c, err
		}
		c.Systems = append(c.Systems, y)
	}
	return c, nil
}

type systemTOML struct {
	ID          string   `toml:"id"`
	Scopes      []string `toml:"scopes"`
	Tokens      []string `toml:"tokens"`
	Certificate string   `toml:"certificate"`
	Purpose     string   `toml:"purpose"`
	Rate        int      `toml:"rate"`
	Everyone    bool     `toml:"everyone"`
}

// beside is a path that begins at a file.
func beside(file, name string) string {
	if filepath.IsAbs(name) {
		return name
	}
	return filepath.Join(filepath.Dir(file), name)
}

// issuer is who makes tokens; nil if nobody does.
func (t *systemsTOML) issuer(path string) (*cms.Issuer, error) {
	i := t.Issuer
	if i == nil {
		return nil, nil
	}
	if i.Name == "" || i.Audience == "" || len(i.Keys) == 0 {
		return nil, fmt.Errorf("%s: [issuer] has a name, an audience and keys", path)
	}
	out := &cms.Issuer{Name: i.Name, Audience: i.Audience}
	for _, name := range i.Keys {
		key, err := readPublicKey(beside(path, name))
		if err != nil {
			return nil, err
		}
		out.Keys = append(out.Keys, key)
	}
	return out, nil
}

// system is one that may order.
func (t *systemTOML) system(path string, issuer bool) (cms.System, error) {
	y := cms.System{ID: t.ID, Scopes: t.Scopes, Purpose: t.Purpose, Rate: t.Rate, Everyone: t.Everyone}
	if t.ID == "" || checkWord("id", t.ID) != nil || t.Purpose == "" || t.Rate < 0 || len(t.Tokens) == 0 && !issuer {
		return y, fmt.Errorf("%s: a system has an id of small letters, digits and hyphens, a purpose, and tokens, or an [issuer] makes them", path)
	}
	for _, text := range t.Tokens {
		sum, err := hex.DecodeString(text)
		if err != nil || len(sum) != sha256.Size {
			return y, fmt.Errorf("%s: %s: a token is known by its SHA-256, in hexadecimal: see serve cms --make-token", path, t.ID)
		}
		y.Tokens = append(y.Tokens, [32]byte(sum))
	}
	if t.Certificate != "" {
		list, err := readCertificates(beside(path, t.Certificate))
		if err != nil {
			return y, err
		}
		sum := sha256.Sum256(list[0].Raw)
		y.Certificate = &sum
	}
	return y, nil
}
