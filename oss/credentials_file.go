package oss

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/url"
	"path"
	"slices"
	"strings"
	"sync"
)

// ConfigFileCredentials reads ossutil's configuration file, of either
// generation: [Credentials] and [AkService] of version 1, [default] and
// [profile NAME] of version 2. name "" means OSSUTIL_CONFIG_FILE, else ~/.ossutilconfig. profile
// "" means OSSUTIL_PROFILE, else default.
//
// Of a profile it understands the modes AK, StsToken, EcsRamRole, RamRoleArn
// and ChainableRamRoleArn (with source_profile), OIDC, Process and Anonymous,
// and where there is no mode what the keys say. The file is read when credentials are first needed.
func ConfigFileCredentials(name, profile string) CredentialsProvider {
	return &fileCredentials{name: name, profile: profile}
}

type fileCredentials struct {
	name, profile string

	mu     sync.Mutex
	loaded CredentialsProvider // once it could be
}

// chosen is what the profile names; a file that could not be read is tried
// again.
func (f *fileCredentials) chosen() (CredentialsProvider, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.loaded != nil {
		return f.loaded, nil
	}
	p, err := f.load()
	if err == nil {
		f.loaded = p
	}
	return p, err
}

// Credentials gives those of the profile.
func (f *fileCredentials) Credentials(ctx context.Context) (Credentials, error) {
	p, err := f.chosen()
	if err != nil {
		return Credentials{}, err
	}
	return p.Credentials(ctx)
}

// Invalidate passes on to what the profile names.
func (f *fileCredentials) Invalidate(refused Credentials) {
	if p, err := f.chosen(); err == nil {
		if i, ok := p.(invalidator); ok {
			i.Invalidate(refused)
		}
	}
}

func (f *fileCredentials) load() (CredentialsProvider, error) {
	c, err := ReadConfigFile(f.name)
	if err != nil {
		return nil, err
	}
	return c.Credentials(f.profile, nil)
}

// iniFile is an INI file: section, key, value. Names of keys have neither case
// nor '-' nor '_'.
type iniFile map[string]map[string]string

// parseConfig reads an INI file of ossutil's. A value may stand in quotes.
func parseConfig(text []byte) (iniFile, error) {
	c := iniFile{}
	section := ""
	lines := bufio.NewScanner(bytes.NewReader(bytes.TrimPrefix(text, []byte("\xef\xbb\xbf"))))
	lines.Buffer(nil, maxCredentials+1)
	for n := 1; lines.Scan(); n++ {
		line := strings.TrimSpace(lines.Text())
		switch {
		case line == "" || line[0] == '#' || line[0] == ';':
		case line[0] == '[':
			name, rest, ok := strings.Cut(line[1:], "]")
			if rest = strings.TrimSpace(rest); !ok || rest != "" && rest[0] != '#' && rest[0] != ';' {
				return nil, fmt.Errorf("line %d: a section without its end", n)
			}
			section = strings.Join(strings.Fields(name), " ")
		default:
			key, value, ok := strings.Cut(line, "=")
			if !ok {
				return nil, fmt.Errorf("line %d is neither a section nor KEY=VALUE", n) // and may hold a secret
			}
			if c[section] == nil {
				c[section] = map[string]string{}
			}
			value = strings.TrimSpace(value)
			if len(value) > 1 && (value[0] == '"' || value[0] == '\'') && strings.IndexByte(value[1:], value[0]) == len(value)-2 {
				value = value[1 : len(value)-1]
			}
			if section == bucketEndpoints || section == bucketCNAMEs {
				key = strings.TrimSpace(key) // the name of a bucket
			} else {
				key = plainKey(key)
			}
			c[section][key] = value
		}
	}
	return c, lines.Err()
}

func plainKey(key string) string {
	return strings.ToLower(strings.NewReplacer("-", "", "_", "", " ", "").Replace(key))
}

// provider is the credentials of a profile. seen are the profiles on the way.
func (c iniFile) provider(profile string, seen []string) (CredentialsProvider, error) {
	section := c.section(profile)
	if section == nil {
		return nil, fmt.Errorf("no profile %s", quote(profile))
	}
	return c.providerOf(section, profile, seen)
}

// providerOf is the credentials that the settings of a profile name.
func (c iniFile) providerOf(section map[string]string, profile string, seen []string) (CredentialsProvider, error) {
	id, secret, token := section["accesskeyid"], section["accesskeysecret"], section["ststoken"]
	role, ecs := section["rolearn"], section["ecsrolename"]
	if role == "" {
		role = section["ramrolearn"]
	}
	mode := strings.ToLower(section["mode"])
	if mode == "" {
		switch {
		case role != "":
			mode = "ramrolearn"
		case id != "":
			mode = "aksts"
		case section["credentialprocess"] != "":
			mode = "process"
		case ecs != "":
			mode = "ecsramrole"
		case section["ecsak"] != "":
			return ecsFromURL(section["ecsak"])
		}
	}
	keys := func() (CredentialsProvider, error) {
		if id == "" || secret == "" {
			return nil, errors.New("no access key in the profile")
		}
		return StaticCredentials(id, secret, token), nil
	}
	switch mode {
	case "ak":
		token = ""
		return keys()
	case "ststoken", "aksts":
		if mode == "ststoken" && token == "" {
			return nil, errors.New("no token in a profile of mode StsToken")
		}
		return keys()
	case "anonymous":
		return AnonymousCredentials(), nil
	case "ecsramrole":
		return ECSRoleCredentials(&ECSRoleOptions{Role: ecs}), nil
	case "process":
		args, err := splitCommand(section["credentialprocess"])
		if err != nil || len(args) == 0 {
			return nil, cmp.Or(err, errors.New("no credential_process in a profile of mode Process"))
		}
		return ProcessCredentials(args[0], args[1:]...), nil
	case "oidc":
		o := &AssumeRoleOptions{RoleARN: role, OIDCProviderARN: section["oidcproviderarn"], OIDCTokenFile: section["oidctokenfile"]}
		if err := o.from(section); err != nil {
			return nil, err
		}
		return OIDCCredentials(o), nil
	case "ramrolearn", "chainableramrolearn":
		return c.role(section, role, keys, append(seen, profile))
	}
	return nil, fmt.Errorf("mode %s of a profile is not known", quote(section["mode"]))
}

// role is a profile that assumes a role, with its own keys or those of another
// profile.
func (c iniFile) role(section map[string]string, role string, keys func() (CredentialsProvider, error), seen []string) (CredentialsProvider, error) {
	var by CredentialsProvider
	var err error
	switch source := section["sourceprofile"]; {
	case source == "":
		by, err = keys()
	case slices.Contains(seen, source):
		return nil, fmt.Errorf("profile %s leads back to itself", quote(source))
	default:
		by, err = c.provider(source, seen)
	}
	if err != nil {
		return nil, err
	}
	o := new(AssumeRoleOptions)
	if err := o.from(section); err != nil {
		return nil, err
	}
	return AssumeRoleCredentials(by, role, o), nil
}

// from adds what a profile says of every way to assume a role.
func (o *AssumeRoleOptions) from(section map[string]string) error {
	o.SessionName, o.ExternalID = section["rolesessionname"], section["externalid"]
	host := section["stsendpoint"]
	if host == "" {
		return nil
	}
	ep, err := parseEndpoint(host, AddressingPath)
	if wrong, ok := errors.AsType[*UsageError](err); ok {
		return errors.New("stsEndpoint " + wrong.Reason)
	}
	o.Endpoint = ep.scheme + "://" + ep.host
	return err
}

// credentialKeys are those by which a section is known to be about credentials.
var credentialKeys = []string{"mode", "accesskeyid", "rolearn", "ramrolearn", "credentialprocess", "ecsrolename", "ecsak"}

// section finds a profile. One that only holds settings of another kind does
// not hide the keys of the older generation.
func (c iniFile) section(profile string) map[string]string {
	names := []string{"profile " + profile, profile}
	if profile == "" || profile == "default" {
		names = []string{"default", "profile default", "Credentials", "credentials", "AkService"}
	}
	var found map[string]string
	for _, name := range names {
		s := c[name]
		for _, key := range credentialKeys {
			if s[key] != "" {
				return s
			}
		}
		if found == nil {
			found = s
		}
	}
	return found
}

// ecsFromURL is [AkService] of version 1: the address of a role's credentials
// on the metadata service.
func ecsFromURL(address string) (CredentialsProvider, error) {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" {
		return nil, errors.New("ecsAk is no URL")
	}
	role := path.Base(u.Path)
	if role == "security-credentials" || role == "/" || role == "." {
		role = ""
	}
	return ECSRoleCredentials(&ECSRoleOptions{Role: role, Endpoint: u.Scheme + "://" + u.Host}), nil
}

// splitCommand splits a command at blanks outside of quotes. There are no
// escapes: a backslash is one in a path of Windows.
func splitCommand(s string) ([]string, error) {
	var args []string
	var arg strings.Builder
	quoted, within := rune(0), false
	for _, r := range s {
		switch {
		case quoted != 0 && r == quoted:
			quoted = 0
		case quoted != 0:
			arg.WriteRune(r)
		case r == '"' || r == '\'':
			quoted, within = r, true
		case r == ' ' || r == '\t':
			if within {
				args = append(args, arg.String())
			}
			arg.Reset()
			within = false
		default:
			arg.WriteRune(r)
			within = true
		}
	}
	if quoted != 0 {
		return nil, errors.New("the quotes of credential_process do not match")
	}
	if within {
		args = append(args, arg.String())
	}
	return args, nil
}
