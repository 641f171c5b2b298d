// Which versions of the page this host serves: a link is opened by the version that made it, where it is there.

export interface Served {
  /** Of the page at the root. */
  current: string;
  /** Those under c/<version>/. */
  versions: string[];
}

/** The folder that holds all versions: this page's, or two above where it is a released one itself. */
export function siteOf(address: string): string {
  return address.replace(/[#?].*$/s, '').replace(/[^/]*$/, '').replace(/c\/\d[\w.+-]*\/$/, '');
}

export async function servedVersions(site: string): Promise<Served | null> {
  try {
    const response = await fetch(`${site}c/index.json`);
    const { current, versions } = (await response.json()) as Partial<Served>;
    if (typeof current !== 'string' || !Array.isArray(versions)) return null;
    return { current, versions: versions.filter((one) => typeof one === 'string') };
  } catch {
    return null; // offline, or a host that serves this version alone
  }
}

/** The page of a version; null where it is not served. */
export function pageOf(version: string, site: string, served: Served | null): string | null {
  if (served?.versions.includes(version)) return `${site}c/${version}/`;
  return served?.current === version ? site : null;
}

/** What a reader of a link from elsewhere is told, and never more quietly. */
export function versionText(made: string, own: string, served: Served | null, page: string | null): string {
  const text = `This link was made with IRPlanner ${made}; what you see is compiled by ${own}.`;
  return served && !page ? `${text} ${made} is not served here.` : text;
}
