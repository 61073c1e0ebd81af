package oss

import (
	"cmp"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// ConfigFile is ossutil's configuration file, of either generation: an INI file
// with [Credentials], [Default], [Bucket-Endpoint], [Bucket-Cname] and
// [AkService] (version 1), [default], [profile NAME] and [buckets NAME]
// (version 2). Names of keys have neither case nor '-' nor '_'. It does not
// change and is safe for concurrent use.
type ConfigFile struct {
	name     string
	sections iniFile
}

// Sections of version 1 whose keys are names of buckets.
const (
	bucketEndpoints = "Bucket-Endpoint"
	bucketCNAMEs    = "Bucket-Cname"
)

// ReadConfigFile reads the file of that name; "" means OSSUTIL_CONFIG_FILE,
// else ~/.ossutilconfig. The error matches fs.ErrNotExist if there is none. It
// names the line that is wrong, not what stands there.
func ReadConfigFile(name string) (*ConfigFile, error) {
	name = cmp.Or(name, os.Getenv("OSSUTIL_CONFIG_FILE"))
	if name == "" {
		home, err := os.UserHomeDir()
		if err != nil {
			return nil, err
		}
		name = filepath.Join(home, ".ossutilconfig")
	}
	text, err := readSmall(name)
	if err != nil {
		return nil, err
	}
	sections, err := parseConfig(text)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return &ConfigFile{name: name, sections: sections}, nil
}

// Name is the name of the file.
func (c *ConfigFile) Name() string { return c.name }

// Profiles are the names of its profiles, sorted; one without a name is
// "default".
func (c *ConfigFile) Profiles() []string {
	var names []string
	for section := range c.sections {
		name, named := strings.CutPrefix(section, "profile ")
		switch {
		case named:
			names = append(names, name)
		case slices.Contains(defaultSections, section):
			names = append(names, "default")
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// defaultSections are those of the profile without a name. [Default] of
// version 1 holds no credentials.
var defaultSections = []string{"default", "profile default", "Credentials", "credentials", "Default", "AkService"}

// Setting is the value of a key in a profile and the section it stands in, ""
// if there is none. Profile "" is OSSUTIL_PROFILE, else default.
func (c *ConfigFile) Setting(profile, key string) (value, section string) {
	profile = cmp.Or(profile, os.Getenv("OSSUTIL_PROFILE"), "default")
	names := []string{"profile " + profile, profile}
	if profile == "default" {
		names = defaultSections
	}
	for _, name := range names {
		if v := c.sections[name][plainKey(key)]; v != "" {
			return v, name
		}
	}
	return "", ""
}

// BucketSetting is how one bucket is reached, where that differs from others.
type BucketSetting struct {
	Endpoint   string // "" = that of Region, or of all buckets
	Region     string
	Addressing string // "", "virtual", "path" or "cname"
	Section    string // where it stands
}

// Bucket is what the file says of one bucket, and whether it says anything.
func (c *ConfigFile) Bucket(name string) (BucketSetting, bool) {
	if s := c.sections["buckets "+name]; len(s) > 0 {
		b := BucketSetting{Endpoint: s["endpoint"], Region: s["region"], Addressing: s["addressingstyle"], Section: "buckets " + name}
		return b, b.Endpoint != "" || b.Region != "" || b.Addressing != ""
	}
	if host := c.sections[bucketCNAMEs][name]; host != "" {
		return BucketSetting{Endpoint: host, Addressing: "cname", Section: bucketCNAMEs}, true
	}
	if host := c.sections[bucketEndpoints][name]; host != "" {
		return BucketSetting{Endpoint: host, Section: bucketEndpoints}, true
	}
	return BucketSetting{}, false
}

// Buckets are the names of the buckets that the file says something of, sorted.
func (c *ConfigFile) Buckets() []string {
	var names []string
	for section := range c.sections {
		if name, named := strings.CutPrefix(section, "buckets "); named {
			names = append(names, name)
		}
	}
	names = slices.AppendSeq(names, maps.Keys(c.sections[bucketCNAMEs]))
	names = slices.AppendSeq(names, maps.Keys(c.sections[bucketEndpoints]))
	slices.Sort(names)
	return slices.Compact(names)
}

// HasCredentials reports whether a profile says anything of credentials.
func (c *ConfigFile) HasCredentials(profile string) bool {
	s := c.sections.section(cmp.Or(profile, os.Getenv("OSSUTIL_PROFILE")))
	return slices.ContainsFunc(credentialKeys, func(key string) bool { return s[key] != "" })
}

// Credentials are those of a profile, as ConfigFileCredentials has them. What
// instead holds, with the same names of keys, takes the place of what the
// profile says; with it the profile need not be there. A nil *ConfigFile is an
// empty file.
func (c *ConfigFile) Credentials(profile string, instead map[string]string) (CredentialsProvider, error) {
	name, sections := "configuration", iniFile{}
	if c != nil {
		name, sections = c.name, c.sections
	}
	profile = cmp.Or(profile, os.Getenv("OSSUTIL_PROFILE"))
	var p CredentialsProvider
	var err error
	if len(instead) == 0 {
		p, err = sections.provider(profile, nil)
	} else {
		section := maps.Clone(sections.section(profile))
		if section == nil {
			section = map[string]string{}
		}
		for key, value := range instead {
			section[plainKey(key)] = value
		}
		p, err = sections.providerOf(section, profile, nil)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return p, nil
}
