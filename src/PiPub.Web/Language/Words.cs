namespace PiPub.Web.Language;

/// <summary>
/// Stands for the words of the pages. They are written in the pages in English; <c>Words.de.resx</c> and its like have what they are
/// in other languages, and a test says which are missing.
/// </summary>
public sealed class Words;
