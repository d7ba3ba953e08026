using Microsoft.Extensions.Localization;
using PiPub.Node.Sentences;

namespace PiPub.Web.Language;

/// <summary>Says in the language of a page what the box says in English.</summary>
internal static class SentenceWords
{
    /// <summary>The sentence, and the sentences that stand in it.</summary>
    public static string Say(this IStringLocalizer words, Sentence sentence)
    {
        if (sentence.IsVerbatim)
        {
            return sentence.ToString();
        }

        var values = new object[sentence.Values.Count];
        for (var i = 0; i < values.Length; i++)
        {
            values[i] = sentence.Values[i] switch
            {
                Sentence inner => words.Say(inner),
                null => "",
                var value => value,
            };
        }

        return words.GetString(sentence.Format, values);
    }

    /// <summary>What an error says.</summary>
    public static string Say(this IStringLocalizer words, Exception error) => words.Say(Sentence.From(error));
}
